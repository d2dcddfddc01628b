#include "common/awq/scaled_weights.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>

#include "common/calibration/sites.h"
#include "common/parallel/parallel_for.h"
#include "common/tensor/convert.h"

namespace lq::awq {
namespace {

using forward::Site;
using forward::WeightKey;
using forward::WeightSource;
using model::TensorRole;

/// What gives the channels of a site: the elements of a vector, or the rows of a matrix and its
/// bias. A family with another one has a row of its own; the first that a model has counts.
struct Producer {
  Site site;
  TensorRole role;
  bool by_kv_heads = false;  // a row gives a channel of each query head that shares its head
};
constexpr std::array kProducers = {
    Producer{Site::kAttnIn, TensorRole::kAttnNorm},
    Producer{Site::kAttnOut, TensorRole::kAttnV, true},
    Producer{Site::kMlpIn, TensorRole::kFfnNorm},
    Producer{Site::kMlpDown, TensorRole::kFfnUp},
};

const Producer* producer_of(Site site, const WeightSource& weights, int layer) {
  for (const Producer& row : kProducers) {
    if (row.site == site && !weights.shape({row.role, layer}).empty()) return &row;
  }
  return nullptr;
}

float rounded(float value, tensor::DType type) {
  switch (type) {
    case tensor::DType::kF16:
      return tensor::f16_to_f32(tensor::f32_to_f16(value));
    case tensor::DType::kBF16:
      return tensor::bf16_to_f32(tensor::f32_to_bf16(value));
    default:
      return value;
  }
}

/// s' of one weight of a norm.
float rounded_scale(float weight, float s, tensor::DType stored) {
  constexpr float kLargestMiss = 0.01F;
  constexpr int kSteps = 8;  // s^(1/2), s^(1/4) ...
  if (weight == 0) return 1;
  for (int step = 0; step < kSteps; ++step, s = std::sqrt(s)) {
    const float kept = rounded(weight / s, stored);
    if (kept == 0 || !std::isfinite(kept)) continue;
    const float scale = weight / kept;
    if (std::abs(scale / s - 1) <= kLargestMiss) return scale;
  }
  return 1;
}

}  // namespace

std::vector<float>& LayerScales::at(Site site) {
  switch (site) {
    case Site::kAttnIn:
      return attn_in;
    case Site::kAttnOut:
      return attn_out;
    case Site::kMlpIn:
      return mlp_in;
    default:
      assert(site == Site::kMlpDown);
      return mlp_down;
  }
}

const std::vector<float>& LayerScales::at(Site site) const {
  return const_cast<LayerScales&>(*this).at(site);
}

bool LayerScales::is_identity() const {
  return attn_in.empty() && attn_out.empty() && mlp_in.empty() && mlp_down.empty();
}

bool can_scale(Site site, const WeightSource& weights, int layer, const IsMade& is_made) {
  const Producer* const producer = producer_of(site, weights, layer);
  if (producer == nullptr) return false;
  const auto stays = [&](TensorRole role) {
    return weights.shape({role, layer}).size() == 2 && !is_made(role, layer);
  };
  return !stays(producer->role) && std::ranges::none_of(calibration::site_row(site).readers, stays);
}

std::vector<std::uint32_t> scale_of_channels(Site site, const model::ModelConfig& config) {
  const auto width = static_cast<std::size_t>(extent_of(calibration::site_row(site).width, config));
  const auto head_dim = static_cast<std::size_t>(config.head_dim);
  const auto per_kv = static_cast<std::size_t>(config.n_heads / config.n_kv_heads);
  const bool by_kv_heads = std::ranges::any_of(
      kProducers, [site](const Producer& row) { return row.site == site && row.by_kv_heads; });
  std::vector<std::uint32_t> scale(width);
  for (std::size_t j = 0; j < width; ++j) {
    const std::size_t row = by_kv_heads ? j / head_dim / per_kv * head_dim + j % head_dim : j;
    scale[j] = static_cast<std::uint32_t>(row);
  }
  return scale;
}

LayerScales rounded_to_norms(const LayerScales& scales, const WeightSource& original, int layer,
                             tensor::DType stored) {
  LayerScales out = scales;
  for (const Producer& row : kProducers) {
    std::vector<float>& s = out.at(row.site);
    const tensor::Shape shape = original.shape({row.role, layer});
    if (s.empty() || shape.size() != 1) continue;
    std::vector<float> weights(s.size());
    original.read({row.role, layer}, 0, weights);
    for (std::size_t j = 0; j < s.size(); ++j) s[j] = rounded_scale(weights[j], s[j], stored);
  }
  return out;
}

ScaledWeights::ScaledWeights(const WeightSource& original, const model::ModelConfig& config)
    : original_(original),
      head_dim_(static_cast<std::size_t>(config.head_dim)),
      heads_per_kv_(static_cast<std::size_t>(config.n_heads / config.n_kv_heads)),
      layers_(static_cast<std::size_t>(config.n_layers)) {}

void ScaledWeights::set(int layer, LayerScales scales) {
  assert(std::ranges::all_of(kProducers, [&](const Producer& row) {
    return scales.at(row.site).empty() || producer_of(row.site, original_, layer) != nullptr;
  }));
  layers_[static_cast<std::size_t>(layer)] = std::move(scales);
}

void ScaledWeights::read(const WeightKey& key, std::size_t first, std::span<float> out) const {
  original_.read(key, first, out);
  if (key.layer < 0 || scales(key.layer).is_identity()) return;
  const LayerScales& scales_here = scales(key.layer);
  const tensor::Shape shape = original_.shape(key);
  const std::size_t columns = shape.size() == 2 ? static_cast<std::size_t>(shape[1]) : 1;
  const calibration::SiteRow* const site = calibration::site_of(key.role);
  if (site != nullptr && site->per_layer && !key.is_bias) {
    const std::vector<float>& s = scales_here.at(site->site);
    for (std::size_t i = 0; i < out.size() && !s.empty(); ++i) out[i] *= s[(first + i) % columns];
  }
  for (const Producer& row : kProducers) {
    const std::vector<float>& s = scales_here.at(row.site);
    if (row.role != key.role || s.empty()) continue;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t place = (first + i) / columns;
      out[i] /=
          s[row.by_kv_heads ? place / head_dim_ * heads_per_kv_ * head_dim_ + place % head_dim_
                            : place];
    }
  }
}

void divide_gram(std::span<float> gram, std::span<const float> s, int n_threads) {
  const std::size_t n = s.size();
  assert(gram.size() == n * n);
  parallel::parallel_for(n, n_threads, [&](std::size_t i, int) {
    for (std::size_t j = 0; j < n; ++j) gram[i * n + j] = gram[i * n + j] / s[i] / s[j];
  });
}

}  // namespace lq::awq
