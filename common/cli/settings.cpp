#include "common/cli/settings.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <sstream>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/cli/values.h"

namespace lq::cli {
namespace {

/// The value as Option::set takes it.
std::string normalised(const Option& option, const std::string& value) {
  if (option.is_flag()) return parse_bool(value) ? "true" : "false";
  if (option.choices.empty()) return value;
  return match_choice(value, option.choices);
}

/// Plain where YAML reads the same text back as a string or number, else in double quotes.
std::string yaml_scalar(const std::string& value) {
  const bool plain = std::ranges::all_of(value, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '/' || c == '+';
  });
  if (plain && !value.empty()) return value;
  return nlohmann::json(base::escape_controls(value)).dump();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string yaml_value(const Option& option) {
  const std::string value = option.get();
  if (!option.repeatable) return yaml_scalar(value);
  std::string list;
  for (const std::string& line : lines_of(value)) {
    list += (list.empty() ? "" : ", ") + yaml_scalar(line);
  }
  return "[" + list + "]";
}

}  // namespace

void Settings::apply(std::span<const Assignment> source) {
  std::set<const Option*> cleared;
  for (const Assignment& assignment : source) {
    const Option& option = *assignment.option;
    if (option.repeatable && option.clear && cleared.insert(&option).second) option.clear();
    try {
      option.set(normalised(option, assignment.value));
    } catch (const base::UsageError& error) {
      const std::string where =
          assignment.origin == kCommandLine ? "" : " (" + assignment.origin + ")";
      const std::string value = base::escape_controls(assignment.value);
      const std::string said = value.empty() ? "" : (option.is_flag() ? "=" : " ") + value;
      throw base::UsageError(fmt::format("cannot use --{}{}{}", option.name, said, where),
                             error.why(), error.fix());
    }
    origins_[option.counts_as.empty() ? option.name : option.counts_as] = assignment.origin;
  }
}

std::string Settings::origin(const Option& option) const {
  const auto origin = origins_.find(option.name);
  return origin == origins_.end() ? kBuiltIn : origin->second;
}

std::string variable_name(const std::string& option_name) {
  std::string name = "LQ_";
  for (const char c : option_name) {
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::vector<Assignment> environment_assignments(const OptionTable& table,
                                                const base::Environment& environment) {
  std::vector<Assignment> found;
  for (const Option& option : table.options()) {
    const std::string variable = variable_name(option.name);
    const std::string value = environment.get(variable);
    if (value.empty() || !option.in_recipes) continue;
    for (const std::string& line :
         option.repeatable ? lines_of(value) : std::vector<std::string>{value}) {
      found.push_back({&option, line, variable});
    }
  }
  return found;
}

std::string print_settings(const std::string& tool, const OptionTable& table,
                           const Settings& settings) {
  std::string text = tool + ":\n";
  for (const Option& option : table.options()) {
    if (!option.get || !option.in_recipes) continue;
    const bool set = !option.get().empty();
    const std::string entry =
        set ? fmt::format("  {}: {}", option.name, yaml_value(option)) : "  # " + option.name + ":";
    text += fmt::format("{:<40} # {}\n", entry, set ? settings.origin(option) : "not set");
  }
  return text;
}

nlohmann::ordered_json settings_json(const OptionTable& table, const Settings& settings) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const Option& option : table.options()) {
    if (!option.get || !option.in_recipes) continue;
    const std::string value = base::escape_controls(option.repeatable ? "" : option.get());
    nlohmann::ordered_json entry;
    entry["value"] = value;
    if (option.repeatable) entry["value"] = lines_of(option.get());
    if (option.get().empty()) entry["value"] = nullptr;
    entry["source"] = settings.origin(option);
    json[option.name] = entry;
  }
  return json;
}

}  // namespace lq::cli
