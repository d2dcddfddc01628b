#pragma once
// The weights of a model directory, whatever format it holds them in.

#include <filesystem>
#include <memory>

#include "common/forward/weights.h"

namespace lq::bench {

struct OpenModel {
  std::unique_ptr<const model::Checkpoint> checkpoint;
  std::unique_ptr<const forward::WeightSource> weights;  // refers to the checkpoint
};

/// Throws as model::open_checkpoint and forward::CheckpointWeights.
OpenModel open_weights(const std::filesystem::path& dir);

}  // namespace lq::bench
