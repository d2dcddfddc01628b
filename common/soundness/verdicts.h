#pragma once
// Which runtimes load the result. Of quantized directories common/hf/runtimes.h has the measured
// rules of schemes; what the checks found of this one comes on top.

#include <string>
#include <vector>

#include "common/soundness/declaration.h"
#include "common/soundness/report.h"
#include "common/soundness/stored_model.h"

namespace lq::soundness {

struct RuntimeVerdict {
  std::string name;  // "vLLM on a CPU"
  bool loads = false;
  std::string why;  // why not; where it loads, what is to be known (wrong results among it)
};

/// In a fixed order: vLLM on a CPU, vLLM on a GPU, transformers, llama.cpp. `stored` is nullptr
/// where the weights could not be read.
std::vector<RuntimeVerdict> directory_verdicts(const StoredModel* stored,
                                               const Declaration& declaration,
                                               const model::ModelConfig& config,
                                               const Report& report);
std::vector<RuntimeVerdict> gguf_verdicts(const Report& report);

}  // namespace lq::soundness
