#include "common/soundness/declaration.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "common/text/split_regex.h"
#include "common/text/tokenizer_part.h"

namespace lq::soundness {
namespace {

using nlohmann::json;

constexpr std::string_view kCheck = "config";
constexpr std::string_view kLinear = "Linear";

class Exact final : public NameRule {
 public:
  explicit Exact(std::string name) : name_(std::move(name)) {}
  bool hits(const std::string& module) const override { return module == name_; }

 private:
  std::string name_;
};

class Within final : public NameRule {
 public:
  explicit Within(std::string part) : part_(std::move(part)) {}
  bool hits(const std::string& module) const override {
    return module.find(part_) != std::string::npos;
  }

 private:
  std::string part_;
};

class All final : public NameRule {
 public:
  bool hits(const std::string& /*module*/) const override { return true; }
};

/// Matched from the start of a name.
class Pattern final : public NameRule {
 public:
  Pattern(const std::string& pattern, const std::filesystem::path& file)
      : file_(file),
        regex_("\\A(?:" + pattern + ")", text::TokenizerPart(json_, file_, "quantization_config")) {
  }
  bool hits(const std::string& module) const override {
    std::vector<text::ByteRange> matches;
    regex_.find_all(module, matches);
    return !matches.empty();
  }

 private:
  std::filesystem::path file_;
  json json_;
  text::SplitRegex regex_;
};

class Reader {
 public:
  Reader(const model::ModelConfig& config, const json& object, Report& report)
      : config_(config), object_(object), report_(report) {}

  Declaration read(const std::string& method) {
    if (method == "awq") {
      read_awq();
    } else if (method == "gptq") {
      read_gptq();
    } else if (method == "compressed-tensors") {
      read_compressed_tensors();
    } else if (method.empty()) {
      fault("quantization_config names no quant_method", "runtimes find the format by it");
    } else {
      refuse(
          fmt::format("its weights are quantized by '{}'; known are awq, gptq and "
                      "compressed-tensors",
                      base::escape_controls(method)));
    }
    return std::move(out_);
  }

 private:
  void fault(std::string what, std::string why) {
    report_.fault(std::string(kCheck), "", std::move(what), std::move(why), kDirectoryRuntimes);
  }
  void refuse(std::string why) {
    out_.is_known = false;
    report_.error(std::string(kCheck),
                  base::UnsupportedError(
                      fmt::format("cannot judge {}", base::shown(config_.path.parent_path())),
                      std::move(why), "judge it with the program that made it"));
  }

  /// The first of the names that the object has; nullptr where it has none or null.
  static const json* find(const json& object, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const auto found = object.find(name);
      if (found != object.end() && !found->is_null()) return &*found;
    }
    return nullptr;
  }
  /// A key that vLLM cannot do without; `absent` is what other readers take for it.
  template <class T>
  T value(const json& object, std::initializer_list<const char*> names, T absent,
          Runtimes refused_by = kNoRuntime) {
    const json* const found = find(object, names);
    if (found == nullptr) {
      if (refused_by != kNoRuntime) {
        report_.refusal(refused_by, fmt::format("quantization_config has no `{}`", *names.begin()));
        report_.remark(std::string(kCheck), "",
                       fmt::format("quantization_config has no `{}`", *names.begin()),
                       "vLLM refuses a configuration without it");
      }
      return absent;
    }
    try {
      return found->get<T>();
    } catch (const json::exception&) {
      fault(fmt::format("`{}` of quantization_config is {}", *names.begin(), found->type_name()),
            "it has another type than its readers expect");
      return absent;
    }
  }

  std::size_t group_size(std::int64_t stated) {
    if (stated == -1) return 0;
    constexpr std::int64_t kMost = 1 << 20;
    if (stated >= 1 && stated <= kMost) return static_cast<std::size_t>(stated);
    fault(fmt::format("the group size of quantization_config is {}", stated),
          "it is neither a number of columns nor -1 for whole rows");
    return 128;
  }
  int bits(std::int64_t stated) {
    if (std::ranges::find(out_.format->bits, stated) != out_.format->bits.end()) {
      return static_cast<int>(stated);
    }
    // Other widths that the format has: nothing is wrong with them.
    constexpr std::array<std::int64_t, 8> kPossible = {1, 2, 3, 4, 5, 6, 7, 8};
    if (out_.format->name == "awq" || std::ranges::find(kPossible, stated) == kPossible.end()) {
      fault(fmt::format("quantization_config says {} bits", stated),
            fmt::format("{} has no such codes", out_.format->name));
    } else {
      refuse(fmt::format("it has codes of {} bits; known are 2, 3, 4 and 8", stated));
    }
    return out_.format->bits.front();
  }

  void add_rule(const std::string& text, std::optional<hf::Scheme> scheme,
                std::shared_ptr<const NameRule> names) {
    out_.rules.push_back({std::move(names), text, scheme});
  }
  void add_pattern(const std::string& text, const std::string& pattern,
                   std::optional<hf::Scheme> scheme) {
    report_.attempt(kCheck, kDirectoryRuntimes, [&] {
      add_rule(text, scheme, std::make_shared<Pattern>(pattern, config_.path));
    });
  }
  std::vector<std::string> texts(const json* list, std::string_view key) {
    if (list == nullptr) return {};
    std::vector<std::string> out;
    for (const json& entry : list->is_array() ? *list : json::array({nullptr})) {
      if (!entry.is_string()) {
        fault(fmt::format("`{}` of quantization_config is no list of names", key),
              "its readers expect texts");
        return {};
      }
      out.push_back(entry.get<std::string>());
    }
    return out;
  }

  void read_awq() {
    out_.format = hf::find_format("awq");
    const auto version = base::to_lower(value<std::string>(object_, {"version", "format"}, "gemm"));
    if (version != "gemm") {
      refuse(fmt::format("it is of AWQ's version '{}'; known is gemm",
                         base::escape_controls(version)));
    }
    out_.common.bits = bits(value<std::int64_t>(object_, {"bits", "w_bit"}, 4, kVllm));
    out_.common.group_size =
        group_size(value<std::int64_t>(object_, {"group_size", "q_group_size"}, 128, kVllm));
    out_.zero_point = value<bool>(object_, {"zero_point"}, true, kVllm);
    out_.common.symmetric = !*out_.zero_point;
    out_.output = value<bool>(object_, {"lm_head"}, false);
    for (const std::string& entry :
         texts(find(object_, {"modules_to_not_convert"}), "modules_to_not_convert")) {
      add_rule(entry, std::nullopt, std::make_shared<Within>(entry));
      out_.lists_floats = true;
    }
    out_.floats_need_a_rule = out_.lists_floats;
  }

  void read_gptq() {
    const auto kind =
        value<std::string>(object_, {"checkpoint_format", "format"}, std::string("gptq"));
    out_.format = hf::find_format(kind == "gptq_v2" ? "gptq_v2" : "gptq");
    if (kind != "gptq" && kind != "gptq_v2") {
      refuse(fmt::format("it is of GPTQ's format '{}'; known are gptq and gptq_v2",
                         base::escape_controls(kind)));
    }
    out_.common.bits = bits(value<std::int64_t>(object_, {"bits"}, 4, kVllm));
    out_.common.group_size = group_size(value<std::int64_t>(object_, {"group_size"}, 128, kVllm));
    out_.common.symmetric = value<bool>(object_, {"sym"}, true, kVllm);
    out_.desc_act = value<bool>(object_, {"desc_act"}, false, kVllm);
    out_.output = value<bool>(object_, {"lm_head"}, false);
    const json* const dynamic = find(object_, {"dynamic"});
    if (dynamic == nullptr || !dynamic->is_object()) return;
    for (const auto& [key, rule] : dynamic->items()) read_dynamic(key, rule);
  }

  void read_dynamic(const std::string& key, const json& rule) {
    if (key.starts_with("-:")) {
      out_.lists_floats = true;
      return add_pattern(key, key.substr(2), std::nullopt);
    }
    hf::Scheme scheme = out_.common;
    if (rule.is_object()) {
      scheme.bits = bits(value<std::int64_t>(rule, {"bits"}, scheme.bits));
      if (find(rule, {"group_size"}) != nullptr) {
        scheme.group_size = group_size(value<std::int64_t>(rule, {"group_size"}, 128));
      }
      scheme.symmetric = value<bool>(rule, {"sym"}, scheme.symmetric);
    }
    add_pattern(key, key.starts_with("+:") ? key.substr(2) : key, scheme);
  }

  void read_compressed_tensors() {
    out_.format = hf::find_format("compressed-tensors");
    out_.floats_need_a_rule = true;
    const auto packing = value<std::string>(object_, {"format"}, std::string("pack-quantized"));
    if (packing != "pack-quantized") {
      return refuse(fmt::format("its weights are packed as '{}'; known is pack-quantized",
                                base::escape_controls(packing)));
    }
    for (const std::string& entry : texts(find(object_, {"ignore"}), "ignore")) {
      out_.lists_floats = true;
      if (entry.starts_with("re:")) {
        add_pattern(entry, entry.substr(3), std::nullopt);
      } else {
        add_rule(entry, std::nullopt, std::make_shared<Exact>(entry));
      }
    }
    const json* const groups = find(object_, {"config_groups"});
    if (groups == nullptr || !groups->is_object() || groups->empty()) {
      return fault("quantization_config has no config_groups",
                   "they say how the weights are quantized");
    }
    for (const auto& [name, group] : groups->items()) {
      if (!group.is_object()) {
        fault(fmt::format("the group `{}` of quantization_config is no object",
                          base::escape_controls(name)),
              "it says how weights are quantized");
        continue;
      }
      read_group(group);
    }
    // Names before classes, wherever they stand.
    if (!linear_) return;
    out_.common = *linear_;
    add_rule(std::string(kLinear), linear_, std::make_shared<All>());
  }

  void read_group(const json& group) {
    const json* const weights = find(group, {"weights"});
    if (weights == nullptr || !weights->is_object()) {
      return fault("a group of quantization_config has no weights",
                   "it says how weights are quantized");
    }
    require_known_keys(*weights);
    const auto type = value<std::string>(*weights, {"type"}, std::string("int"));
    if (type != "int") {
      return refuse(
          fmt::format("its weights are of type '{}'; known is int", base::escape_controls(type)));
    }
    hf::Scheme scheme;
    scheme.bits = bits(value<std::int64_t>(*weights, {"num_bits"}, 8));
    scheme.symmetric = value<bool>(*weights, {"symmetric"}, true);
    const auto strategy = value<std::string>(*weights, {"strategy"}, std::string());
    const json* const size = find(*weights, {"group_size"});
    scheme.group_size = strategy == "channel" || size == nullptr
                            ? 0
                            : group_size(value<std::int64_t>(*weights, {"group_size"}, 128));
    const json* const order = find(*weights, {"actorder"});
    if (order != nullptr && (order->is_boolean() ? order->get<bool>() : *order == "group")) {
      out_.desc_act = true;
      report_.refusal(kVllm, "it no longer takes columns grouped by importance (actorder)");
    }
    if (out_.rules.empty() || out_.rules.back().scheme == std::nullopt) out_.common = scheme;
    for (const std::string& target : texts(find(group, {"targets"}), "targets")) {
      if (target.starts_with("re:")) {
        add_pattern(target, target.substr(3), scheme);
      } else if (target == kLinear) {
        if (!linear_) linear_ = scheme;
      } else {
        add_rule(target, scheme, std::make_shared<Exact>(target));
      }
    }
  }

  /// vLLM's library takes no others.
  void require_known_keys(const json& weights) {
    constexpr std::array<std::string_view, 15> kKnown = {
        "num_bits",    "type",     "symmetric",      "group_size",      "strategy",
        "dynamic",     "actorder", "observer",       "observer_kwargs", "block_structure",
        "scale_dtype", "zp_dtype", "scale_strategy", "is_mx",           "round_to_quantized_type"};
    for (const auto& [key, ignored] : weights.items()) {
      if (std::ranges::find(kKnown, key) != kKnown.end()) continue;
      report_.refusal(kDirectoryRuntimes, fmt::format("`weights` of quantization_config has the "
                                                      "unknown key `{}`",
                                                      base::escape_controls(key)));
      report_.remark(std::string(kCheck), "",
                     fmt::format("`weights` of quantization_config has the unknown key `{}`",
                                 base::escape_controls(key)),
                     "the library of compressed-tensors refuses such a scheme");
    }
  }

  const model::ModelConfig& config_;
  const json& object_;
  Report& report_;
  Declaration out_;
  std::optional<hf::Scheme> linear_;  // of the class, in compressed-tensors
};

}  // namespace

const SchemeRule* Declaration::rule_of(const std::string& module) const {
  const auto found =
      std::ranges::find_if(rules, [&](const SchemeRule& rule) { return rule.names->hits(module); });
  return found == rules.end() ? nullptr : &*found;
}

std::optional<hf::Scheme> Declaration::scheme_of(const std::string& module, bool is_output) const {
  for (const SchemeRule& rule : rules) {
    // The class of the output matrix is no "Linear" to vLLM.
    if (is_output && rule.text == kLinear) continue;
    if (rule.names->hits(module)) return rule.scheme;
  }
  if (is_output) return output ? std::optional(common) : std::nullopt;
  return common;
}

Declaration read_declaration(const model::ModelConfig& config, Report& report) {
  const auto found = config.raw.find("quantization_config");
  if (found == config.raw.end() || found->is_null()) return {};
  if (!found->is_object()) {
    report.fault(std::string(kCheck), "", "quantization_config of config.json is no object",
                 "it says how the weights are quantized", kDirectoryRuntimes);
    return {};
  }
  const auto method = found->find("quant_method");
  return Reader(config, *found, report)
      .read(method != found->end() && method->is_string() ? method->get<std::string>() : "");
}

}  // namespace lq::soundness
