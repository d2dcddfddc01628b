#include "common/hf/module_rules.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

namespace lq::hf {
namespace {

constexpr std::string_view kDraft = "mtp";

std::string escaped(std::string_view name) {
  constexpr std::string_view kSpecial = R"(\^$.|?*+()[]{})";
  std::string text;
  for (const char c : name) {
    if (kSpecial.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

std::string any_of(const std::vector<std::string>& names) {
  return names.size() == 1 ? names.front() : fmt::format("(?:{})", fmt::join(names, "|"));
}

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
}

/// Modules that differ in the layer and in the last part of their names alone.
struct RuleParts {
  std::optional<Scheme> scheme;
  std::string before, between, fused;  // "model.layers.", ".self_attn.", "qkv_proj"
  std::vector<std::string> layers, last;
  std::string alone;  // of a module whose name does not hold its layer

  bool same_kind(const RuleParts& other) const {
    return scheme == other.scheme && before == other.before && between == other.between &&
           alone == other.alone && fused == other.fused && (!fused.empty() || last == other.last);
  }
  std::string pattern() const {
    if (!alone.empty()) return escaped(alone) + "$";
    std::vector<std::string> ends;
    for (const std::string& name : last) ends.push_back(escaped(name));
    if (!fused.empty()) ends.push_back(escaped(fused));
    return fmt::format("{}{}{}{}$", escaped(before), any_of(layers), escaped(between),
                       any_of(ends));
  }
};

RuleParts parts_of(const Module& module) {
  RuleParts parts;
  parts.scheme = module.scheme;
  const std::string layer = std::to_string(module.layer);
  const std::size_t at = module.name.find("." + layer + ".");
  if (module.layer < 0 || at == std::string::npos) {
    parts.alone = module.name;
    return parts;
  }
  const std::size_t after = at + 1 + layer.size(), last = module.name.rfind('.') + 1;
  parts.before = module.name.substr(0, at + 1);
  parts.layers = {layer};
  parts.between = module.name.substr(after, last - after);
  parts.last = {module.name.substr(last)};
  const std::string fused = fused_name(module.name);
  if (!fused.empty()) parts.fused = fused.substr(fused.rfind('.') + 1);
  return parts;
}

bool in_a_quantized_name(const QuantizationFacts& facts, std::string_view text) {
  return std::ranges::any_of(facts.modules, [&](const Module& module) {
    return module.scheme && module.name.find(text) != std::string::npos;
  });
}

bool starts_a_quantized_name(const QuantizationFacts& facts, std::string_view prefix) {
  return std::ranges::any_of(facts.modules, [&](const Module& module) {
    return module.scheme && module.name.starts_with(prefix);
  });
}

}  // namespace

const Module* output_module(const QuantizationFacts& facts) {
  const auto found = std::ranges::find(facts.modules, model::TensorRole::kOutput, &Module::role);
  return found == facts.modules.end() ? nullptr : &*found;
}

std::vector<ModuleRule> override_rules(const QuantizationFacts& facts) {
  std::vector<RuleParts> kinds;
  for (const Module& module : facts.modules) {
    if (module.role == model::TensorRole::kOutput || module.scheme == facts.scheme) continue;
    RuleParts parts = parts_of(module);
    const auto same =
        std::ranges::find_if(kinds, [&](const RuleParts& kind) { return kind.same_kind(parts); });
    if (same == kinds.end()) {
      kinds.push_back(std::move(parts));
      continue;
    }
    for (std::string& layer : parts.layers) add_once(same->layers, std::move(layer));
    for (std::string& name : parts.last) add_once(same->last, std::move(name));
  }
  std::vector<ModuleRule> rules;
  for (const RuleParts& kind : kinds) rules.push_back({kind.pattern(), kind.scheme});
  return rules;
}

bool has_draft_heads(const QuantizationFacts& facts) {
  return std::ranges::any_of(
             facts.other_linears,
             [](const std::string& name) { return name.find(kDraft) != std::string::npos; }) &&
         !in_a_quantized_name(facts, kDraft);
}

std::vector<std::string> other_linear_patterns(const QuantizationFacts& facts) {
  std::vector<std::string> patterns;
  const bool draft = has_draft_heads(facts);
  if (draft) patterns.push_back(fmt::format(".*{}.*", kDraft));
  for (const std::string& name : facts.other_linears) {
    if (draft && name.find(kDraft) != std::string::npos) continue;
    std::size_t end = name.find('.');
    while (end != std::string::npos &&
           starts_a_quantized_name(facts, std::string_view(name).substr(0, end + 1))) {
      end = name.find('.', end + 1);
    }
    add_once(patterns,
             end == std::string::npos ? escaped(name) + "$" : escaped(name.substr(0, end + 1)));
  }
  return patterns;
}

}  // namespace lq::hf
