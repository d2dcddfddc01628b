#include "common/forward/rope.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "common/kernels/token_rows.h"
#include "common/model/rope_factors.h"

namespace lq::forward {
namespace {

using model::ModelConfig;
using model::RopeScalingKind;

/// The base at which a text longer than the model was trained for gets the angles of its length.
double dynamic_base(const ModelConfig& config, std::size_t n_positions) {
  const auto trained = static_cast<double>(config.context);
  const double length = std::max(trained, static_cast<double>(n_positions));
  const auto dim = static_cast<double>(config.head_dim);
  const double stretch = config.rope.factor * length / trained - (config.rope.factor - 1);
  return config.rope.base * std::pow(stretch, dim / (dim - 2));
}

/// YaRN (Peng et al., arXiv:2309.00071): slow pairs are stretched, fast ones left alone, those
/// between are blended.
void apply_yarn(const ModelConfig& config, RopeFrequencies& rope) {
  const double factor = config.rope.factor;
  const auto dim = static_cast<double>(config.head_dim);
  const auto trained = static_cast<double>(
      config.rope.original_context > 0 ? config.rope.original_context : config.context);
  // The pair that turns so many times over the trained length.
  const auto pair_of = [&](double turns) {
    return dim * std::log(trained / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(config.rope.base));
  };
  double low = pair_of(config.rope.beta_fast.value_or(32));
  double high = pair_of(config.rope.beta_slow.value_or(1));
  if (config.rope.whole_pairs) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(0.0, low);
  high = std::min(dim - 1, high);
  if (high == low) high += 0.001;
  for (std::size_t i = 0; i < rope.per_position.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    rope.per_position[i] *= stretched / factor + (1 - stretched);
  }
  const double usual = factor > 1 ? 0.1 * std::log(factor) + 1 : 1;
  rope.attention_factor = config.rope.attention_factor.value_or(usual);
}

}  // namespace

RopeFrequencies rope_frequencies(const ModelConfig& config, std::size_t n_positions) {
  const RopeScalingKind scaling = config.rope.scaling;
  assert(scaling != RopeScalingKind::kLongRope);
  const double base =
      scaling == RopeScalingKind::kDynamic ? dynamic_base(config, n_positions) : config.rope.base;
  RopeFrequencies rope;
  const auto dim = static_cast<double>(config.head_dim);
  for (std::int64_t i = 0; i < config.head_dim; i += 2) {
    rope.per_position.push_back(std::pow(base, -static_cast<double>(i) / dim));
  }
  if (scaling == RopeScalingKind::kLinear) {
    for (double& frequency : rope.per_position) frequency /= config.rope.factor;
  }
  if (scaling == RopeScalingKind::kLlama3) {
    const std::vector<float> divisors = model::llama3_rope_factors(config);
    for (std::size_t i = 0; i < divisors.size(); ++i) rope.per_position[i] /= double{divisors[i]};
  }
  if (scaling == RopeScalingKind::kYarn) apply_yarn(config, rope);
  for (std::size_t i = 0; i < config.rope.divisors.size(); ++i) {
    rope.per_position[i] /= double{config.rope.divisors[i]};
  }
  return rope;
}

RopeTable::RopeTable(const ModelConfig& config, std::size_t n_positions)
    : half_(static_cast<std::size_t>(config.head_dim) / 2) {
  const RopeFrequencies rope = rope_frequencies(config, n_positions);
  cos_.reserve(n_positions * half_);
  sin_.reserve(n_positions * half_);
  for (std::size_t position = 0; position < n_positions; ++position) {
    for (const double frequency : rope.per_position) {
      const double angle = static_cast<double>(position) * frequency;
      cos_.push_back(static_cast<float>(std::cos(angle) * rope.attention_factor));
      sin_.push_back(static_cast<float>(std::sin(angle) * rope.attention_factor));
    }
  }
}

void RopeTable::rotate(std::size_t position, std::span<float> heads) const {
  kernels::rotate_heads(heads.data(), heads.size() / (2 * half_), half_,
                        cos_.data() + position * half_, sin_.data() + position * half_);
}

void RopeTables::prepare(std::size_t n_positions) {
  const bool by_length = config_->rope.scaling == RopeScalingKind::kDynamic;
  for (Entry& entry : tables_) {
    if (entry.n_positions == n_positions) return;
    if (by_length) continue;
    if (entry.n_positions < n_positions) entry = {n_positions, RopeTable(*config_, n_positions)};
    return;
  }
  tables_.push_back({n_positions, RopeTable(*config_, n_positions)});
}

const RopeTable& RopeTables::of(std::size_t n_positions) const {
  if (config_->rope.scaling != RopeScalingKind::kDynamic) return tables_.front().table;
  return std::ranges::find(tables_, n_positions, &Entry::n_positions)->table;
}

}  // namespace lq::forward
