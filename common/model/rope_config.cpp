#include "common/model/rope_config.h"

#include <algorithm>
#include <array>
#include <cassert>
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

}  // namespace

std::string_view rope_scaling_name(RopeScalingKind kind) {
  // "default" is what config.json calls none.
  if (kind == RopeScalingKind::kNone) return "none";
  const auto row = std::ranges::find(kScalingNames, kind, &ScalingName::kind);
  assert(row != kScalingNames.end());
  return row->name;
}

/// One key object holds it: `rope_parameters` (newer) or `rope_scaling` (older, without the base).
RopeConfig read_rope(const KeyReader& top) {
  const std::filesystem::path& file = top.file();
  RopeConfig rope;
  rope.base = top.positive({"rope_theta", "rotary_emb_base", "rope_freq_base"}).value_or(rope.base);
  constexpr std::array<std::string_view, 2> kObjects = {"rope_parameters", "rope_scaling"};
  std::string key;
  const json* object = top.find(kObjects, key);
  if (object == nullptr) return rope;
  if (!object->is_object()) top.reject(key, *object, "an object");
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
  // The published Llama 3.1 values, which its own reader assumes where a key is left out.
  const double usual_factor = rope.scaling == RopeScalingKind::kLlama3 ? 8 : 1;
  rope.factor = reader.positive({"factor"}).value_or(usual_factor);
  rope.low_freq_factor = reader.positive({"low_freq_factor"}).value_or(rope.low_freq_factor);
  rope.high_freq_factor = reader.positive({"high_freq_factor"}).value_or(rope.high_freq_factor);
  rope.original_context =
      reader.whole({"original_max_position_embeddings"})
          .value_or(top.whole({"original_max_position_embeddings"}).value_or(0));
  rope.extrapolation_factor = reader.real({"extrapolation_factor"});
  rope.attention_factor = reader.real({"attention_factor"});
  rope.beta_fast = reader.real({"beta_fast"});
  rope.beta_slow = reader.real({"beta_slow"});
  if (rope.scaling == RopeScalingKind::kLlama3 && rope.low_freq_factor >= rope.high_freq_factor) {
    reader.reject(key + ".low_freq_factor", rope.low_freq_factor,
                  "a number below high_freq_factor");
  }
  return rope;
}

}  // namespace lq::model
