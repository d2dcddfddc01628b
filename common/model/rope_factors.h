#pragma once
// Llama 3's rope scaling as GGUF carries it: one divisor per pair of dimensions, in the tensor
// rope_freqs.weight.

#include <string_view>
#include <vector>

#include "common/model/model_config.h"

namespace lq::model {

inline constexpr std::string_view kRopeFactorsName = "rope_freqs.weight";

/// [head_dim / 2] divisors. Long wavelengths are stretched by `factor`, short ones left alone,
/// those between are interpolated. Computed in float32 in the order of llama.cpp's converter, so
/// that the values are the same. REQUIRES: config.rope.scaling == kLlama3.
std::vector<float> llama3_rope_factors(const ModelConfig& config);

}  // namespace lq::model
