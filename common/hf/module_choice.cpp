#include "common/hf/module_choice.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <regex>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/model/tensor_map.h"

namespace lq::hf {
namespace {

constexpr std::array<std::size_t, 3> kUsualGroups = {128, 64, 32};

/// A regular expression, and how often it was found.
class Pattern {
 public:
  Pattern(std::string text, const char* option) : text_(std::move(text)), option_(option) {
    try {
      regex_ = std::regex(text_);
    } catch (const std::regex_error& error) {
      throw base::UsageError(
          fmt::format("cannot use {} '{}'", option, base::escape_controls(text_)),
          fmt::format("it is no regular expression: {}", error.what()),
          "write an ECMAScript expression such as 'layers\\.0\\.' or 'down_proj'");
    }
  }

  bool is_in(const std::string& name) {
    if (!std::regex_search(name, regex_)) return false;
    ++n_found_;
    return true;
  }
  void require_found() const {
    if (n_found_ > 0) return;
    throw base::UsageError(
        fmt::format("cannot use {} '{}'", option_, base::escape_controls(text_)),
        "no linear layer that would be quantized has a name that it is found in",
        "lq-inspect --tensors lists the names; those of linear layers count, without .weight, and "
        "lm_head with --lm-head");
  }

 private:
  std::string text_;
  const char* option_;
  std::regex regex_;
  std::size_t n_found_ = 0;
};

bool is_linear(const model::MappedTensor& tensor) {
  return !tensor.is_bias && tensor.shape.size() == 2 &&
         tensor.row->role != model::TensorRole::kTokenEmbedding;
}

class Chooser {
 public:
  Chooser(const model::Checkpoint& checkpoint, const ModuleRequest& request)
      : checkpoint_(checkpoint), request_(request) {
    for (const std::string& pattern : request.skip) skip_.emplace_back(pattern, "--skip");
    for (const SchemeOverride& row : request.overrides) {
      overrides_.emplace_back(row.pattern, "--override");
    }
  }

  ModuleChoice run() {
    list_modules();
    choice_.scheme = {request_.bits, common_group_size(), request_.symmetric};
    for (Module& module : choice_.modules) decide(module);
    leave_joined_float();
    for (const Pattern& pattern : skip_) pattern.require_found();
    for (const Pattern& pattern : overrides_) pattern.require_found();
    require_fused_alike(choice_.modules);
    return std::move(choice_);
  }

 private:
  void list_modules() {
    const model::TensorMap map = model::map_tensors(checkpoint_);
    for (const model::MappedTensor& tensor : map.used) {
      if (!is_linear(tensor)) continue;
      constexpr std::size_t kSuffix = std::string_view(".weight").size();
      choice_.modules.push_back({tensor.hf.substr(0, tensor.hf.size() - kSuffix), tensor.row->role,
                                 tensor.layer, static_cast<std::size_t>(tensor.shape[0]),
                                 static_cast<std::size_t>(tensor.shape[1])});
    }
    // The table goes row by row through all layers.
    std::ranges::stable_sort(choice_.modules, {}, [](const Module& module) {
      return module.layer < 0 ? INT32_MAX : module.layer;
    });
    if (!request_.output_matrix || !map.output_is_tied) return;
    throw base::UsageError("cannot quantize lm_head",
                           "this model's output matrix is its embedding matrix, which stays float",
                           "leave out --lm-head");
  }

  bool is_considered(const Module& module) const {
    return module.layer >= 0 || request_.output_matrix;
  }
  /// Of modules whose shape the format can hold at all.
  bool fits_format(const Module& module) const {
    const Scheme whole_rows{request_.bits, 0, request_.symmetric};
    return request_.format->shape_problem(module.rows, module.columns, whole_rows).empty();
  }

  bool divides_all(std::size_t group_size) const {
    return std::ranges::all_of(choice_.modules, [&](const Module& module) {
      return !is_considered(module) || !fits_format(module) || module.columns % group_size == 0;
    });
  }

  std::size_t common_group_size() {
    if (request_.group_size) return *request_.group_size;
    for (const std::size_t size : kUsualGroups) {
      if (!divides_all(size)) continue;
      choice_.notes.push_back(fmt::format(
          "groups of {}{}", size,
          size == kUsualGroups.front() ? "" : ", the largest that divide every layer's columns"));
      return size;
    }
    choice_.notes.emplace_back("one group for each row: 32 does not divide every layer's columns");
    return 0;
  }

  void decide(Module& module) {
    if (!is_considered(module)) {
      module.why_float = "the output matrix stays float unless --lm-head asks for it";
      for (Pattern& pattern : skip_) pattern.is_in(module.name);  // to name it is no mistake
      return;
    }
    bool skipped = false;
    for (Pattern& pattern : skip_) skipped = pattern.is_in(module.name) || skipped;
    if (skipped) {
      module.why_float = "--skip names it";
      return;
    }
    Scheme scheme = choice_.scheme;
    bool overridden = false;
    for (std::size_t i = 0; i < overrides_.size(); ++i) {
      if (!overrides_[i].is_in(module.name) || overridden) continue;
      overridden = true;
      scheme.bits = request_.overrides[i].bits.value_or(scheme.bits);
      scheme.group_size = request_.overrides[i].group_size.value_or(scheme.group_size);
    }
    if (!fits_format(module)) {
      module.why_float =
          fmt::format("it {}", request_.format->shape_problem(module.rows, module.columns,
                                                              {scheme.bits, 0, scheme.symmetric}));
      note_float(module);
      return;
    }
    require_dividing(module, scheme);
    module.scheme = scheme;
  }

  void note_float(const Module& module) {
    choice_.notes.push_back(
        fmt::format("{} stays float: {}", base::escape_controls(module.name), module.why_float));
  }

  /// What runtimes join with a module that the format cannot hold stays float with it.
  void leave_joined_float() {
    std::map<std::string, std::string> unfit;  // one of the members by joined name
    for (const Module& module : choice_.modules) {
      const std::string fused = fused_name(module.name);
      if (!fused.empty() && !fits_format(module)) unfit.emplace(fused, module.name);
    }
    for (Module& module : choice_.modules) {
      const auto found = unfit.find(fused_name(module.name));
      if (!module.scheme || found == unfit.end()) continue;
      module.scheme.reset();
      module.why_float =
          fmt::format("runtimes join it with {}", base::escape_controls(found->second));
      note_float(module);
    }
  }

  void require_dividing(const Module& module, const Scheme& scheme) const {
    if (scheme.group_size == 0 || module.columns % scheme.group_size == 0) return;
    const bool common = scheme.group_size == choice_.scheme.group_size;
    std::vector<std::size_t> usable;
    for (const std::size_t size : kUsualGroups) {
      if (common ? divides_all(size) : module.columns % size == 0) usable.push_back(size);
    }
    throw base::UnsupportedError(
        fmt::format("cannot use groups of {}", scheme.group_size),
        fmt::format("{} has {} columns, which {} does not divide",
                    base::escape_controls(module.name), module.columns, scheme.group_size),
        fmt::format("{}{} (one group for each row)",
                    common ? "use --group-size " : "let --override say group:",
                    usable.empty() ? "-1" : fmt::format("{} or -1", fmt::join(usable, ", "))));
  }

  const model::Checkpoint& checkpoint_;
  const ModuleRequest& request_;
  std::vector<Pattern> skip_, overrides_;
  ModuleChoice choice_;
};

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

SchemeOverride parse_override(const std::string& text) {
  const auto fail = [&](std::string why) {
    return base::UsageError(
        fmt::format("cannot use --override {}", base::escape_controls(text)), std::move(why),
        "write for example --override 'down_proj=bits:8,group:64'; bits are 2, 3, 4 or 8, groups "
        "32, 64, 128 or -1");
  };
  constexpr const char* kOtherForm = "it is not of the form REGEX=bits:N,group:N";
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) throw fail(kOtherForm);
  SchemeOverride row{text.substr(0, equals), {}, {}};
  for (std::size_t at = equals + 1, end = 0; at <= text.size(); at = end + 1) {
    end = std::min(text.find(',', at), text.size());
    const std::string_view item = std::string_view(text).substr(at, end - at);
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos) throw fail(kOtherForm);
    const std::string key(item.substr(0, colon));
    const auto value = whole_number(item.substr(colon + 1));
    if (!value) throw fail(kOtherForm);
    if (key == "bits" ? row.bits.has_value() : key == "group" && row.group_size) {
      throw fail(fmt::format("{} is there twice", key));
    }
    if (key == "bits") {
      if (*value != 2 && *value != 3 && *value != 4 && *value != 8) {
        throw fail(fmt::format("there are no codes of {} bits", *value));
      }
      row.bits = *value;
    } else if (key == "group") {
      if (*value != -1 &&
          std::ranges::find(kUsualGroups, static_cast<std::size_t>(*value)) == kUsualGroups.end()) {
        throw fail(fmt::format("there are no groups of {}", *value));
      }
      row.group_size = *value == -1 ? 0 : static_cast<std::size_t>(*value);
    } else {
      throw fail(fmt::format("{} is neither bits nor group", base::escape_controls(key)));
    }
  }
  return row;
}

ModuleChoice choose_modules(const model::Checkpoint& checkpoint, const ModuleRequest& request) {
  return Chooser(checkpoint, request).run();
}

}  // namespace lq::hf
