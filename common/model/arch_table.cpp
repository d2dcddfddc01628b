// The families that are converted, one row each.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/model/arch/families.h"

namespace lq::model {
namespace {

constexpr std::array kArchitectures = {&arch::kLlama, &arch::kQwen2, &arch::kQwen3};

[[noreturn]] void refuse(const ModelConfig& config, const std::string& why) {
  std::vector<std::string_view> names;
  for (const Architecture* row : kArchitectures) {
    for (const HfClass& known : row->hf_classes) names.push_back(known.name);
  }
  const std::string& shown = config.architecture.empty() ? config.model_type : config.architecture;
  throw base::UnsupportedError(
      fmt::format("cannot convert a model of architecture {}", base::escape_controls(shown)), why,
      fmt::format("use a dense text model of one of: {}", fmt::join(names, ", ")));
}

/// Reasons why the runtime would load the file and compute something else.
void require_runtime(const Architecture& row, const ModelConfig& config) {
  if (config.n_experts > 0) {
    refuse(config, fmt::format("it has {} experts per layer; only dense models are supported",
                               config.n_experts));
  }
  if (!config.activation.empty() && config.activation != "silu" && config.activation != "swish") {
    refuse(config, fmt::format("its activation is {}; the runtime of '{}' computes silu",
                               base::escape_controls(config.activation), row.name));
  }
  if (!config.windows.other_kind.empty()) {
    refuse(config, fmt::format("it has layers of kind {}; the runtime of '{}' has attention in all",
                               base::escape_controls(config.windows.other_kind), row.name));
  }
  if (config.rope.rotary_fraction != 1) {
    refuse(config,
           fmt::format("it rotates only a part ({}) of each head; the runtime of '{}' rotates all",
                       config.rope.rotary_fraction, row.name));
  }
  if (config.rope.scaling == RopeScalingKind::kLongRope) {
    refuse(config,
           fmt::format("its rope scaling is longrope, which the runtime of '{}' does not have",
                       row.name));
  }
  if (config.rope.scaling == RopeScalingKind::kLlama3 && !row.rope_factors) {
    refuse(config,
           fmt::format("its rope scaling is llama3, which the runtime of '{}' does not have",
                       row.name));
  }
}

}  // namespace

std::span<const Architecture* const> architectures() { return kArchitectures; }

KnownClass known_class(const std::string& name, const std::string& model_type) {
  for (const Architecture* row : kArchitectures) {
    for (const HfClass& known : row->hf_classes) {
      if (name.empty() ? known.model_type == model_type : known.name == name) return {row, &known};
    }
  }
  return {};
}

const Architecture& find_architecture(const ModelConfig& config) {
  const Architecture* const row = known_class(config.architecture, config.model_type).architecture;
  if (row != nullptr) {
    require_runtime(*row, config);
    return *row;
  }
  const bool nested = config.raw.contains("vision_config") || config.raw.contains("audio_config");
  refuse(config, nested ? "it has parts for images or sound; only text models are supported"
                        : "this architecture is not known");
}

std::int64_t extent_of(Extent extent, const ModelConfig& config) {
  switch (extent) {
    case Extent::kNone:
      return 0;
    case Extent::kHidden:
      return config.hidden;
    case Extent::kFfn:
      return config.ffn;
    case Extent::kVocab:
      return config.vocab;
    case Extent::kHeadDim:
      return config.head_dim;
    case Extent::kQRows:
      return config.n_heads * config.head_dim;
    case Extent::kKvRows:
      return config.n_kv_heads * config.head_dim;
  }
  return 0;
}

}  // namespace lq::model
