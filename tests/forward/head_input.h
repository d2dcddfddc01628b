#pragma once
// The whole pass over some windows, up to what the output head reads.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <numeric>
#include <vector>

#include "common/forward/head.h"
#include "common/forward/layer_pass.h"
#include "common/model/checkpoint.h"
#include "tests/support/scratch.h"

namespace lq::testing {

/// Sees what linear layers read; layer -1 stands for the head.
using AtSite = std::function<void(int layer, forward::Site, const linalg::Matrix&)>;

/// Hidden states behind the last layer, normalised.
inline linalg::Matrix head_input(
    const model::ModelConfig& config, const forward::WeightSource& weights,
    const std::vector<std::int32_t>& ids, const forward::Windows& windows, linalg::Compute compute,
    int n_threads = 2, const AtSite& at_site = [](int, forward::Site, const linalg::Matrix&) {}) {
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

/// The logits of all tokens: [tokens, vocabulary].
inline std::vector<float> all_logits(const model::ModelConfig& config,
                                     const forward::WeightSource& weights,
                                     const std::vector<std::int32_t>& ids,
                                     const forward::Windows& windows, linalg::Compute compute) {
  const linalg::Matrix x = head_input(config, weights, ids, windows, compute);
  std::vector<std::size_t> rows(ids.size());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return forward::logits_of(weights, x, rows, 2);
}

inline std::vector<float> all_logits(const model::Checkpoint& checkpoint,
                                     const std::vector<std::int32_t>& ids,
                                     const forward::Windows& windows, linalg::Compute compute) {
  return all_logits(checkpoint.config, forward::CheckpointWeights(checkpoint), ids, windows,
                    compute);
}

/// A file of float32 values.
inline std::vector<float> float_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

}  // namespace lq::testing
