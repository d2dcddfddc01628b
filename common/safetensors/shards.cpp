#include "common/safetensors/shards.h"

namespace lq::safetensors {

std::vector<std::vector<TensorSpec>> into_shards(const std::vector<TensorSpec>& tensors,
                                                 std::uint64_t max_bytes) {
  std::vector<std::vector<TensorSpec>> shards;
  std::uint64_t filled = 0;
  for (const TensorSpec& tensor : tensors) {
    const std::uint64_t bytes = tensor.n_bytes();
    if (shards.empty() || (filled > 0 && filled + bytes > max_bytes)) {
      shards.emplace_back();
      filled = 0;
    }
    shards.back().push_back(tensor);
    filled += bytes;
  }
  return shards;
}

}  // namespace lq::safetensors
