#include "bench/judge/open_weights.h"

namespace lq::bench {

OpenModel open_weights(const std::filesystem::path& dir) {
  auto checkpoint = std::make_unique<const model::Checkpoint>(model::open_checkpoint(dir));
  auto weights = std::make_unique<const forward::CheckpointWeights>(*checkpoint);
  return {std::move(checkpoint), std::move(weights)};
}

}  // namespace lq::bench
