#include "common/model/rope_config.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <string>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::model {
namespace {

using nlohmann::json;

/// The first name of a kind is the one that it is shown under.
struct ScalingName {
  std::string_view name;
  RopeScalingKind kind;
};
constexpr std::array kScalingNames = {
    ScalingName{"default", RopeScalingKind::kNone},
    ScalingName{"linear", RopeScalingKind::kLinear},
    ScalingName{"dynamic", RopeScalingKind::kDynamic},
    ScalingName{"llama3", RopeScalingKind::kLlama3},
    ScalingName{"yarn", RopeScalingKind::kYarn},
    ScalingName{"longrope", RopeScalingKind::kLongRope},
    ScalingName{"su", RopeScalingKind::kLongRope},
};

RopeScalingKind scaling_kind(const std::string& name, const std::filesystem::path& file) {
  for (const ScalingName& row : kScalingNames) {
    if (row.name == name) return row.kind;
  }
  std::string known;
  for (const ScalingName& row : kScalingNames)
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw base::UnsupportedError(
      "cannot read the rope scaling of " + base::shown(file),
      fmt::format("its type is '{}'; known are {}", base::escape_controls(name), known),
      "use a model with one of these, or remove the scaling when it is not wanted");
}

/// `rope_scaling` (older, without the base) or `rope_parameters` (newer); nullptr where neither says
/// anything.
const json* rope_object(const KeyReader& top, std::string& key) {
  for (const std::string_view name : {"rope_scaling", "rope_parameters"}) {
    const json* const object = top.find({&name, 1}, key);
    if (object == nullptr) continue;
    if (!object->is_object()) top.reject(key, *object, "an object");
    if (!object->empty()) return object;
  }
  return nullptr;
}

double usual_factor(RopeScalingKind scaling) {
  switch (scaling) {
    case RopeScalingKind::kNone:
    case RopeScalingKind::kLongRope:
      return 1;
    case RopeScalingKind::kLlama3:
      return 8;  // the published value, which its own reader assumes where the key is left out
    case RopeScalingKind::kLinear:
    case RopeScalingKind::kDynamic:
    case RopeScalingKind::kYarn:
      return 0;
  }
  return 0;
}

/// A number that 0 stands for as well as nothing does.
std::optional<double> real_not_0(const KeyReader& reader, std::string_view key) {
  const std::optional<double> value = reader.real({key});
  return value == 0 ? std::nullopt : value;
}

void read_yarn(const KeyReader& reader, RopeConfig& rope) {
  rope.attention_factor = reader.real({"attention_factor"});
  rope.beta_fast = real_not_0(reader, "beta_fast");
  rope.beta_slow = real_not_0(reader, "beta_slow");
  rope.whole_pairs = reader.flag("truncate", true);
  const std::optional<double> scale = real_not_0(reader, "mscale");
  const std::optional<double> of_all = real_not_0(reader, "mscale_all_dim");
  if (rope.attention_factor || !scale || !of_all || rope.factor <= 1) return;
  const double growth = 0.1 * std::log(rope.factor);
  rope.attention_factor = (*scale * growth + 1) / (*of_all * growth + 1);
}

}  // namespace

std::string_view rope_scaling_name(RopeScalingKind kind) {
  // "default" is what config.json calls none.
  if (kind == RopeScalingKind::kNone) return "none";
  const auto row = std::ranges::find(kScalingNames, kind, &ScalingName::kind);
  assert(row != kScalingNames.end());
  return row->name;
}

double runtime_attention_factor(double factor) { return 1 + 0.1 * std::log(factor); }

RopeConfig read_rope(const KeyReader& top) {
  const std::filesystem::path& file = top.file();
  RopeConfig rope;
  rope.base = top.positive({"rope_theta", "rotary_emb_base", "rope_freq_base"}).value_or(rope.base);
  rope.rotary_fraction =
      top.positive({"partial_rotary_factor", "rotary_pct"}).value_or(rope.rotary_fraction);
  std::string key;
  const json* object = rope_object(top, key);
  if (object == nullptr) return rope;
  const KeyReader reader(*object, file, key + ".");
  for (const auto& [name, value] : object->items()) {
    if (value.is_object()) {
      throw base::UnsupportedError("cannot read the rope parameters of " + base::shown(file),
                                   fmt::format("{} differs between kinds of layers ('{}')", key,
                                               base::escape_controls(name)),
                                   "use a model whose layers share one set of rope parameters");
    }
  }
  rope.base = reader.positive({"rope_theta"}).value_or(rope.base);
  const std::string kind = reader.text({"rope_type", "type"});
  rope.scaling = kind.empty() ? RopeScalingKind::kNone : scaling_kind(kind, file);
  rope.factor = reader.positive({"factor"}).value_or(usual_factor(rope.scaling));
  rope.low_freq_factor = reader.positive({"low_freq_factor"}).value_or(rope.low_freq_factor);
  rope.high_freq_factor = reader.positive({"high_freq_factor"}).value_or(rope.high_freq_factor);
  rope.original_context =
      top.whole({"original_max_position_embeddings"})
          .value_or(reader.whole({"original_max_position_embeddings"}).value_or(0));
  rope.rotary_fraction = reader.positive({"partial_rotary_factor"}).value_or(rope.rotary_fraction);
  rope.extrapolation_factor = reader.real({"extrapolation_factor"});
  if (rope.scaling == RopeScalingKind::kYarn) read_yarn(reader, rope);
  if (rope.scaling == RopeScalingKind::kLlama3 && rope.low_freq_factor >= rope.high_freq_factor) {
    reader.reject(key + ".low_freq_factor", rope.low_freq_factor,
                  "a number below high_freq_factor");
  }
  return rope;
}

}  // namespace lq::model
