#include "common/forward/weights.h"

#include <cassert>
#include <fmt/format.h>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/kernels/convert.h"
#include "common/model/sound_weights.h"

namespace lq::forward {

CheckpointWeights::CheckpointWeights(const model::Checkpoint& checkpoint)
    : checkpoint_(checkpoint) {
  const model::TensorMap map = model::map_tensors(checkpoint);
  model::require_sound(checkpoint, map);
  for (const model::MappedTensor& tensor : map.used) {
    tensors_[{tensor.row->role, tensor.layer, tensor.is_bias}] = tensor.found;
  }
  if (map.output_is_tied) {
    tensors_[{model::TensorRole::kOutput}] = tensors_.at({model::TensorRole::kTokenEmbedding});
  }
}

const tensor::TensorInfo* CheckpointWeights::find(const WeightKey& key) const {
  const auto found = tensors_.find(key);
  return found == tensors_.end() ? nullptr : found->second;
}

tensor::Shape CheckpointWeights::shape(const WeightKey& key) const {
  const tensor::TensorInfo* const tensor = find(key);
  return tensor == nullptr ? tensor::Shape() : tensor->shape;
}

void CheckpointWeights::read(const WeightKey& key, std::size_t first, std::span<float> out) const {
  const tensor::TensorInfo* const tensor = find(key);
  assert(tensor != nullptr && first + out.size() <= tensor->n_elems);
  const auto size = static_cast<std::size_t>(tensor::dtype_row(tensor->dtype).bits / 8);
  std::vector<std::byte> bytes(out.size() * size);
  checkpoint_.weights->read(*tensor, first * size, bytes);
  const std::size_t wrong = kernels::widen_to_f32(tensor->dtype, bytes, out);
  if (wrong == kernels::kAllFinite) return;
  throw base::ValidationError(
      fmt::format("cannot use the weights of {}", base::shown(checkpoint_.dir)),
      fmt::format("element {} of {} is not a finite number", first + wrong,
                  base::escape_controls(tensor->name)),
      "download the model again; if its source has the same value, the model is damaged");
}

}  // namespace lq::forward
