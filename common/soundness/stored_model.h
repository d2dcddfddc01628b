#pragma once
// A quantized (or plain) model directory as its tensors have it, compared with what config.json
// declares: which tensors there are, their types and shapes, what is quantized and what is float.

#include <string>
#include <vector>

#include "common/hf/quantization_facts.h"
#include "common/model/checkpoint.h"
#include "common/soundness/declaration.h"

namespace lq::soundness {

/// A quantized linear whose tensors fit what is declared; those that the format lets out are
/// nullptr.
struct QuantizedLinear {
  hf::Module module;  // with the scheme
  const tensor::TensorInfo* codes = nullptr;
  const tensor::TensorInfo* scales = nullptr;
  const tensor::TensorInfo* zeros = nullptr;
  const tensor::TensorInfo* group_index = nullptr;
};

struct StoredModel {
  std::vector<QuantizedLinear> linears;
  std::vector<const tensor::TensorInfo*> floats;
  hf::QuantizationFacts facts;  // of all linears, also of those that do not fit
};

/// What does not fit goes to `report`.
StoredModel read_stored_model(const model::Checkpoint& checkpoint, const Declaration& declaration,
                              Report& report);

}  // namespace lq::soundness
