#pragma once
// The rotary embedding of config.json: base and scaling.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/model/key_reader.h"

namespace lq::model {

enum class RopeScalingKind { kNone, kLinear, kDynamic, kLlama3, kYarn, kLongRope };

/// "none", "linear", "yarn" ...: as config.json and GGUF both spell it.
std::string_view rope_scaling_name(RopeScalingKind kind);

struct RopeConfig {
  double base = 10000;
  RopeScalingKind scaling = RopeScalingKind::kNone;
  double factor = 1;  // 0 = not given, though the scaling needs one
  double low_freq_factor = 1, high_freq_factor = 4;
  std::int64_t original_context = 0;  // 0 = not given
  std::optional<double> extrapolation_factor, attention_factor, beta_fast, beta_slow;
  bool whole_pairs = true;     // YaRN's blend begins and ends at whole pairs of dimensions
  double rotary_fraction = 1;  // of head_dim
  // [head_dim / 2] of the frequencies, beside any scaling; empty: none. Only a GGUF states them.
  std::vector<float> divisors;
};

/// What GGUF's runtime multiplies sines and cosines by under YaRN, by itself; the attn_factor of a
/// file comes on top.
double runtime_attention_factor(double factor);

/// `top`: the whole of config.json. Throws ValidationError, and UnsupportedError for a scaling
/// that is not known and for parameters that differ between layers.
RopeConfig read_rope(const KeyReader& top);

}  // namespace lq::model
