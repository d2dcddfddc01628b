#pragma once
// The whole pass over some windows, up to what the output head reads.

#include <cstdint>
#include <functional>
#include <vector>

#include "common/forward/layer_pass.h"
#include "common/model/checkpoint.h"

namespace lq::testing {

/// Sees what linear layers read; layer -1 stands for the head.
using AtSite = std::function<void(int layer, forward::Site, const linalg::Matrix&)>;

/// Hidden states behind the last layer, normalised.
inline linalg::Matrix head_input(
    const model::Checkpoint& checkpoint, const forward::WeightSource& weights,
    const std::vector<std::int32_t>& ids, const forward::Windows& windows, linalg::Compute compute,
    int n_threads = 2, const AtSite& at_site = [](int, forward::Site, const linalg::Matrix&) {}) {
  const model::ModelConfig& config = checkpoint.config;
  forward::LayerPass pass(config, compute, n_threads);
  std::vector<float> h = forward::embed(weights, ids, static_cast<std::size_t>(config.hidden));
  for (int layer = 0; layer < config.n_layers; ++layer) {
    const forward::Layer loaded = forward::load_layer(weights, config, layer, compute, n_threads);
    pass.run(loaded, windows, h,
             [&](forward::Site site, const linalg::Matrix& x) { at_site(layer, site, x); });
  }
  linalg::Matrix x =
      pass.normalized(forward::load_vector(weights, {model::TensorRole::kOutputNorm}), h);
  at_site(-1, forward::Site::kHeadIn, x);
  return x;
}

}  // namespace lq::testing
