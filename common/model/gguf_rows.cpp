#include "common/model/gguf_rows.h"

#include "common/model/tensor_map.h"

namespace lq::model {

std::string gguf_name(const TensorRow& row, int layer, bool is_bias) {
  return expand_layer(row.gguf, layer) + (is_bias ? ".bias" : ".weight");
}

int interleaved_heads(const TensorRow& row, const ModelConfig& config) {
  switch (row.transform) {
    case ValueTransform::kNone:
      return 0;
    case ValueTransform::kInterleaveQ:
      return static_cast<int>(config.n_heads);
    case ValueTransform::kInterleaveK:
      return static_cast<int>(config.n_kv_heads);
  }
  return 0;
}

std::uint64_t checkpoint_row(std::uint64_t row, std::uint64_t n_rows, int heads) {
  const std::uint64_t head_rows = n_rows / static_cast<std::uint64_t>(heads);
  const std::uint64_t head = row / head_rows, inside = row % head_rows;
  return head * head_rows + (inside % 2) * (head_rows / 2) + inside / 2;
}

std::uint64_t gguf_row(std::uint64_t row, std::uint64_t n_rows, int heads) {
  const std::uint64_t head_rows = n_rows / static_cast<std::uint64_t>(heads);
  const std::uint64_t head = row / head_rows, inside = row % head_rows, half = head_rows / 2;
  return head * head_rows + 2 * (inside % half) + inside / half;
}

}  // namespace lq::model
