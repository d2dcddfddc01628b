#include "bench/judge/open_weights.h"

#include "common/hf/quantized_weights.h"

namespace lq::bench {

OpenModel open_weights(const std::filesystem::path& dir) {
  auto checkpoint = std::make_unique<const model::Checkpoint>(model::open_checkpoint(dir));
  if (hf::format_of(checkpoint->config) != nullptr) {
    auto weights = std::make_unique<const hf::QuantizedWeights>(*checkpoint);
    return {std::move(checkpoint), std::move(weights)};
  }
  auto weights = std::make_unique<const forward::CheckpointWeights>(*checkpoint);
  return {std::move(checkpoint), std::move(weights)};
}

}  // namespace lq::bench
