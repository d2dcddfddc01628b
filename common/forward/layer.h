#pragma once
// One decoder layer's weights, ready for products.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/forward/weights.h"
#include "common/linalg/packed_matrix.h"

namespace lq::forward {

/// y = x W^T + b
struct Linear {
  linalg::PackedMatrix weight;  // [outputs, inputs]
  std::vector<float> bias;      // [outputs], or empty
};

struct Layer {
  std::vector<float> attn_norm, ffn_norm;  // [hidden]
  std::vector<float> q_norm, k_norm;       // [head_dim], or empty
  Linear q, k, v, o, gate, up, down;
  /// The linear layer of a role. REQUIRES: it is one of a layer's.
  Linear& linear(model::TensorRole role);

  std::size_t sliding_window = 0;  // how many positions back attention goes, itself counted; 0: all
};

/// Throws as WeightSource::read.
Layer load_layer(const WeightSource& weights, const model::ModelConfig& config, int index,
                 linalg::Compute compute, int n_threads);
/// `layer` is -1 for a matrix that is not of a layer.
Linear load_linear(const WeightSource& weights, const model::ModelConfig& config,
                   model::TensorRole role, int layer, linalg::Compute compute, int n_threads);
std::vector<float> load_vector(const WeightSource& weights, const WeightKey& key);

/// The rows of the embedding matrix, as hidden states [ids, hidden]. REQUIRES: the ids are below
/// the vocabulary's size.
std::vector<float> embed(const WeightSource& weights, std::span<const std::int32_t> ids,
                         std::size_t hidden);

}  // namespace lq::forward
