#pragma once
// Which runtimes load a quantized model, and on how many devices at once. What is said of vLLM on a
// CPU and of transformers was measured (vLLM 0.32.0; transformers 5.19.0 with GPTQModel 7.4.0 and
// compressed-tensors 0.17.0); of vLLM on a GPU it is what its source and documents say.

#include <string>
#include <vector>

#include "common/hf/format.h"
#include "common/model/model_config.h"

namespace lq::hf {

struct Verdict {
  std::string runtime;  // "vLLM on a CPU"
  bool loads = true;
  std::string why;            // why it does not; what is to be known where it does; may be empty
  std::vector<int> tp_sizes;  // tensor-parallel sizes among 1, 2, 4, 8, 16; only where it loads
  std::string tp_limit;       // why the smallest size that is missing there is missing
};

/// One verdict per runtime, in a fixed order.
std::vector<Verdict> runtime_verdicts(const Format& format, const QuantizationFacts& facts,
                                      const model::ModelConfig& config);

/// "vLLM on a CPU: loads, tensor-parallel 1 2 (not 4: ...)", "transformers: no, ...".
std::string sentence(const Verdict& verdict);

}  // namespace lq::hf
