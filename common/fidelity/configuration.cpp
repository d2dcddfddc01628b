#include "common/fidelity/configuration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <type_traits>
#include <variant>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/gguf/reader.h"
#include "common/model/gguf_model.h"
#include "common/model/rope_factors.h"

namespace lq::fidelity {
namespace {

using base::Finding;
using base::Findings;
using base::Weight;
using model::ModelConfig;
using model::RopeConfig;
using model::RopeScalingKind;
using subject::Container;

constexpr std::string_view kConfiguration = "configuration", kVocabulary = "vocabulary";
// A number goes through float32 in a GGUF.
constexpr double kRounding = 1e-6;

bool is_same(double a, double b) {
  return std::abs(a - b) <= kRounding * std::max(std::abs(a), std::abs(b));
}

/// Findings, one line each.
class Report {
 public:
  explicit Report(Findings& findings) : findings_(findings) {}

  void differ(std::string_view check, const std::string& name, const std::string& found,
              const std::string& wanted, Weight weight = Weight::kFault) {
    findings_.push_back(
        {std::string(check), "",
         fmt::format("{} is not that of the reference", base::escape_controls(name)),
         fmt::format("it is {}, the reference implies {}", base::escape_controls(found),
                     base::escape_controls(wanted)),
         weight});
  }
  void number(const std::string& name, double found, double wanted) {
    if (!is_same(found, wanted)) {
      differ(kConfiguration, name, fmt::format("{}", found), fmt::format("{}", wanted));
    }
  }
  void flag(const std::string& name, bool found, bool wanted) {
    if (found != wanted) {
      differ(kConfiguration, name, fmt::format("{}", found), fmt::format("{}", wanted));
    }
  }

 private:
  Findings& findings_;
};

struct NumberRow {
  const char* name;
  std::int64_t ModelConfig::*value;
};
constexpr std::array kShapes = {
    NumberRow{"the number of layers", &ModelConfig::n_layers},
    NumberRow{"the hidden size", &ModelConfig::hidden},
    NumberRow{"the size of the feed-forward part", &ModelConfig::ffn},
    NumberRow{"the number of heads", &ModelConfig::n_heads},
    NumberRow{"the number of key-value heads", &ModelConfig::n_kv_heads},
    NumberRow{"the size of a head", &ModelConfig::head_dim},
    NumberRow{"the size of the vocabulary", &ModelConfig::vocab},
};

/// Scaling as the forward pass knows it: a GGUF has the divisors of Llama 3's, and not that name.
std::vector<float> divisors_of(const ModelConfig& config) {
  return config.rope.scaling == RopeScalingKind::kLlama3 ? model::llama3_rope_factors(config)
                                                         : config.rope.divisors;
}
RopeScalingKind kind_of(const RopeConfig& rope) {
  return rope.scaling == RopeScalingKind::kLlama3 ? RopeScalingKind::kNone : rope.scaling;
}

void compare_numbers(const ModelConfig& found, const ModelConfig& wanted, bool is_gguf,
                     Report& report) {
  for (const NumberRow& row : kShapes) {
    report.number(row.name, static_cast<double>(found.*row.value),
                  static_cast<double>(wanted.*row.value));
  }
  report.number("the length of the context", static_cast<double>(found.context),
                static_cast<double>(wanted.context));
  report.number("the epsilon of the norms", found.norm_eps, wanted.norm_eps);
  report.number("the base of the rope", found.rope.base, wanted.rope.base);
  // The runtime of a GGUF has no dynamic scaling, which begins behind the context.
  const RopeScalingKind kind = kind_of(wanted.rope);
  if (kind_of(found.rope) != kind && !(is_gguf && kind == RopeScalingKind::kDynamic)) {
    report.differ(kConfiguration, "the scaling of the rope",
                  std::string(model::rope_scaling_name(found.rope.scaling)),
                  std::string(model::rope_scaling_name(wanted.rope.scaling)));
  } else if (kind_of(found.rope) != RopeScalingKind::kNone) {
    report.number("the factor of the rope's scaling", found.rope.factor, wanted.rope.factor);
  }
  const std::vector<float> divisors = divisors_of(found), wanted_divisors = divisors_of(wanted);
  if (!std::ranges::equal(divisors, wanted_divisors,
                          [](float a, float b) { return is_same(double{a}, double{b}); })) {
    report.differ(kConfiguration, "the list of the rope's divisors",
                  fmt::format("of {}", divisors.size()),
                  fmt::format("another of {}", wanted_divisors.size()));
  }
}

/// Whole numbers are the same in any type; lists by their elements.
bool is_same_value(const gguf::Value& a, const gguf::Value& b) {
  if (a == b) return true;
  return std::visit(
      [](const auto& x, const auto& y) {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(x)>> &&
                      std::is_arithmetic_v<std::decay_t<decltype(y)>>) {
          return is_same(static_cast<double>(x), static_cast<double>(y));
        } else {
          return false;
        }
      },
      a, b);
}

std::string shown(const gguf::Value& value) {
  return std::visit(
      [](const auto& x) -> std::string {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(x)>> ||
                      std::is_same_v<std::decay_t<decltype(x)>, std::string>) {
          constexpr std::size_t kMost = 60;
          std::string text = fmt::format("{}", x);
          return text.size() <= kMost ? text : text.substr(0, kMost) + "...";
        } else {
          return fmt::format("a list of {}", x.size());
        }
      },
      value);
}

/// The first element in which two lists of text differ.
std::optional<std::string> first_difference(const gguf::Value& found, const gguf::Value& wanted) {
  const auto* const a = std::get_if<std::vector<std::string>>(&found);
  const auto* const b = std::get_if<std::vector<std::string>>(&wanted);
  if (a == nullptr || b == nullptr || a->size() != b->size()) return std::nullopt;
  const auto [x, y] = std::ranges::mismatch(*a, *b);
  if (x == a->end()) return std::nullopt;
  return fmt::format("'{}' at {}", *x, x - a->begin());
}

gguf::Metadata wanted_metadata(const model::Checkpoint& reference, const gguf::Reader& file) {
  try {
    return model::gguf_metadata(reference, std::nullopt);
  } catch (const base::UnsupportedError&) {
    // A pre-tokenizer that cannot be told had to be given to the converter too.
    const std::string* const pre = file.metadata().get<std::string>("tokenizer.ggml.pre");
    if (pre == nullptr) throw;
    return model::gguf_metadata(reference, *pre);
  }
}

void compare_gguf(const Models& models, Report& report) {
  const gguf::Reader file(models.result_path);
  const gguf::Metadata wanted =
      wanted_metadata(model::open_checkpoint(models.reference_path), file);
  const std::string shapes = std::string(models.reference->architecture().name) + ".";
  for (const auto& [key, value] : wanted.entries()) {
    const bool is_shape = key.starts_with(shapes);
    if (!is_shape && !key.starts_with("tokenizer.ggml.")) continue;
    const std::string_view check = is_shape ? kConfiguration : kVocabulary;
    const gguf::Value* const found = file.metadata().find(key);
    if (found == nullptr) {
      report.differ(check, key, "not there", shown(value), Weight::kRemark);
    } else if (!is_same_value(*found, value)) {
      report.differ(check, key, first_difference(*found, value).value_or(shown(*found)),
                    first_difference(value, *found).value_or(shown(value)));
    }
  }
}

/// What quantizing changes, and what says nothing of the model.
bool is_free_key(const std::string& key) {
  constexpr std::array kFree = {
      "quantization_config", "compression_config",   "torch_dtype",   "dtype",     "use_cache",
      "_name_or_path",       "transformers_version", "architectures", "model_type"};
  return std::ranges::find(kFree, key) != kFree.end();
}

void compare_json(const nlohmann::json& found, const nlohmann::json& wanted, Report& report) {
  const auto text = [](const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  for (const auto& [key, value] : wanted.items()) {
    if (is_free_key(key) || value.is_null()) continue;
    const auto other = found.find(key);
    if (other == found.end()) {
      report.differ(kConfiguration, key, "not there", text(value), Weight::kRemark);
    } else if (*other != value) {
      report.differ(kConfiguration, key, text(*other), text(value));
    }
  }
  for (const auto& [key, value] : found.items()) {
    if (is_free_key(key) || value.is_null() || wanted.contains(key)) continue;
    report.differ(kConfiguration, key, text(value), "nothing of that name", Weight::kRemark);
  }
}

void compare_vocabularies(const Models& models, Report& report) {
  const text::Tokenizer& found = models.result->tokenizer();
  const text::Tokenizer& wanted = models.reference->tokenizer();
  if (found.vocab_size() != wanted.vocab_size()) {
    report.differ(kVocabulary, "the number of tokens", fmt::format("{}", found.vocab_size()),
                  fmt::format("{}", wanted.vocab_size()));
    return;
  }
  for (std::uint32_t id = 0; id < found.vocab_size(); ++id) {
    if (found.piece(id) == wanted.piece(id)) continue;
    report.differ(kVocabulary, fmt::format("token {}", id), fmt::format("'{}'", found.piece(id)),
                  fmt::format("'{}'", wanted.piece(id)));
    return;
  }
}

}  // namespace

bool has_equal_shapes(const Models& models) {
  const ModelConfig &found = models.result->config(), &wanted = models.reference->config();
  return models.result->architecture().name == models.reference->architecture().name &&
         std::ranges::all_of(
             kShapes, [&](const NumberRow& row) { return found.*row.value == wanted.*row.value; });
}

base::Findings configuration_findings(const Models& models) {
  Findings findings;
  Report report(findings);
  const std::string_view found = models.result->architecture().name;
  const std::string_view wanted = models.reference->architecture().name;
  if (found != wanted) {
    report.differ(kConfiguration, "the architecture", std::string(found), std::string(wanted));
    return findings;
  }
  const bool is_gguf = models.result->container() == Container::kGguf;
  const bool from_gguf = models.reference->container() == Container::kGguf;
  if (is_gguf && !from_gguf) compare_gguf(models, report);
  if (!is_gguf && !from_gguf) {
    compare_json(models.result->config().raw, models.reference->config().raw, report);
    compare_vocabularies(models, report);
  }
  // What keys that are there or missing come to.
  if (std::ranges::none_of(findings, [](const Finding& finding) {
        return finding.weight == Weight::kFault && finding.check == kConfiguration;
      })) {
    compare_numbers(models.result->config(), models.reference->config(), is_gguf, report);
  }
  return findings;
}

}  // namespace lq::fidelity
