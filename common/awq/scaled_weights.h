#pragma once
// A model whose channels are scaled where linear layers read them, and which is the same function:
// what gives channel j is divided by s_j, the columns j that read it are multiplied by it
// (activation-aware quantization, arXiv 2306.00978). All of it in float32.
//
//   site       given by                                   read by
//   attn_in    the weights of the norm                    q, k, v
//   attn_out   the rows of v, and its bias                o
//   mlp_in     the weights of the norm                    gate, up
//   mlp_down   the rows of up, and its bias               down
//
// A row of v gives the same channel of all query heads that share its head: they have one scale.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/forward/site.h"
#include "common/forward/weights.h"
#include "common/model/model_config.h"
#include "common/tensor/dtype.h"

namespace lq::awq {

/// Of a layer: a positive scale per channel of each site; empty: all 1.
struct LayerScales {
  std::vector<float> attn_in = {}, attn_out = {}, mlp_in = {}, mlp_down = {};

  /// REQUIRES: a site of a layer.
  std::vector<float>& at(forward::Site site);
  const std::vector<float>& at(forward::Site site) const;
  bool is_identity() const;
};

/// Which matrices of a layer are made anew, with their scales; all others are copied as they are.
using IsMade = std::function<bool(model::TensorRole role, int layer)>;

/// Whether the model has what would be divided, and all matrices that the scales of the site change are
/// made anew: those that read it, and the one that gives it. Vectors always are.
bool can_scale(forward::Site site, const forward::WeightSource& weights, int layer,
               const IsMade& is_made);

/// The scale that each channel of a site has, as numbers from 0 on: channels of one number have one
/// scale.
std::vector<std::uint32_t> scale_of_channels(forward::Site site, const model::ModelConfig& config);

/// The scales that remain once norms are rounded to `stored`: w' = round(w / s), and the columns
/// are multiplied by s' = w / w', so that the function stays the same. Where w' would be 0 or off by
/// more than a hundredth, s goes towards 1 until it is not.
LayerScales rounded_to_norms(const LayerScales& scales, const forward::WeightSource& original,
                             int layer, tensor::DType stored);

/// Thread rule: as WeightSource, but set() is not for while others read.
class ScaledWeights : public forward::WeightSource {
 public:
  /// Both are referred to. No layer is scaled yet.
  ScaledWeights(const forward::WeightSource& original, const model::ModelConfig& config);

  /// REQUIRES: scales of the width of their site, for sites that can be scaled.
  void set(int layer, LayerScales scales);
  const LayerScales& scales(int layer) const { return layers_[static_cast<std::size_t>(layer)]; }

  tensor::Shape shape(const forward::WeightKey& key) const override { return original_.shape(key); }
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override;

 private:
  const forward::WeightSource& original_;
  const std::size_t head_dim_, heads_per_kv_;
  std::vector<LayerScales> layers_;
};

/// Replaces the sum of x x^T [n, n] by that of inputs divided by `s` [n].
void divide_gram(std::span<float> gram, std::span<const float> s, int n_threads);

}  // namespace lq::awq
