#pragma once
// A model near another: one kind of its tensors is changed.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/forward/weights.h"

namespace lq::testing {

/// Without a factor, values of a row get errors in a pattern, as coarse codes would leave them.
class ChangedWeights final : public forward::WeightSource {
 public:
  explicit ChangedWeights(const forward::WeightSource& original,
                          model::TensorRole role = model::TensorRole::kFfnDown, float factor = 0)
      : original_(original), role_(role), factor_(factor) {}

  tensor::Shape shape(const forward::WeightKey& key) const override { return original_.shape(key); }
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override {
    original_.read(key, first, out);
    if (key.role != role_) return;
    constexpr float kMost = std::numeric_limits<float>::max();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const float factor = factor_ != 0 ? factor_ : 1 + 0.4F * std::sin(float((first + i) % 997));
      out[i] = std::clamp(out[i] * factor, -kMost, kMost);
    }
  }

 private:
  const forward::WeightSource& original_;
  const model::TensorRole role_;
  const float factor_;
};

}  // namespace lq::testing
