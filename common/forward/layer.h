#pragma once
// One decoder layer: its weights, and the steps from the hidden states that enter it to those that
// leave it. The steps stand apart, so that who quantizes a layer can change a matrix between two of
// them.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/forward/rope.h"
#include "common/forward/site.h"
#include "common/forward/weights.h"
#include "common/linalg/matrix.h"

namespace lq::forward {

/// y = x W^T + b
struct Linear {
  linalg::Matrix weight;    // [outputs, inputs]
  std::vector<float> bias;  // [outputs], or empty
};

struct Layer {
  std::vector<float> attn_norm, ffn_norm;  // [hidden]
  std::vector<float> q_norm, k_norm;       // [head_dim], or empty
  Linear q, k, v, o, gate, up, down;
  std::size_t sliding_window = 0;  // how many positions back attention goes, itself counted; 0: all
};

/// Throws as WeightSource::read.
Layer load_layer(const WeightSource& weights, const model::ModelConfig& config, int layer,
                 linalg::Compute compute, int n_threads);
Linear load_linear(const WeightSource& weights, model::TensorRole role, int layer,
                   linalg::Compute compute, int n_threads);
std::vector<float> load_vector(const WeightSource& weights, const WeightKey& key);

/// Texts that do not see each other, one after the other.
struct Windows {
  std::vector<std::size_t> lengths;  // in tokens, none 0

  std::size_t n_tokens() const;
};

/// The steps of a layer. `h`, the hidden states, is [n_tokens, hidden]; matrices have a row per
/// token.
class LayerPass {
 public:
  /// `config` is referred to.
  LayerPass(const model::ModelConfig& config, linalg::Compute compute, int n_threads);

  linalg::Matrix attention_input(const Layer& layer, std::span<const float> h) const;
  /// Attention over the windows; what the output projection reads.
  linalg::Matrix attend(const Layer& layer, const Windows& windows, const linalg::Matrix& x);
  void attention_output(const Layer& layer, const linalg::Matrix& x, std::span<float> h) const;
  linalg::Matrix mlp_input(const Layer& layer, std::span<const float> h) const;
  linalg::Matrix mlp_activation(const Layer& layer, const linalg::Matrix& x) const;
  void mlp_output(const Layer& layer, const linalg::Matrix& x, std::span<float> h) const;

  /// All of them in order; `at_site` sees what each group of linear layers reads.
  void run(const Layer& layer, const Windows& windows, std::span<float> h,
           const std::function<void(Site, const linalg::Matrix&)>& at_site);

  /// The normalised rows of h: also the input of the output head, with its norm.
  linalg::Matrix normalized(std::span<const float> norm, std::span<const float> h) const;

 private:
  void add_linear(const Linear& linear, const linalg::Matrix& x, std::span<float> h) const;

  const model::ModelConfig& config_;
  const linalg::Compute compute_;
  const int n_threads_;
  RopeTables rope_;
};

/// The rows of the embedding matrix, as hidden states [ids, hidden]. REQUIRES: the ids are below
/// the vocabulary's size.
std::vector<float> embed(const WeightSource& weights, std::span<const std::int32_t> ids,
                         std::size_t hidden);

}  // namespace lq::forward
