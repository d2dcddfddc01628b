#pragma once
// From assignments (an option, a value, where it was said) to the values of the options. Sources
// are applied one after the other, the weakest first: built-in, recipes, LQ_* variables, command
// line.

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "common/base/environment.h"
#include "common/cli/option_table.h"

namespace lq::cli {

inline constexpr const char* kCommandLine = "command line";
inline constexpr const char* kBuiltIn = "built-in";

struct Assignment {
  const Option* option = nullptr;
  std::string value;   // of a flag "true", "false" or any word that parse_bool() knows
  std::string origin;  // kCommandLine, "LQ_THREADS", "/etc/xdg/lq/config.yaml:3"
};

class Settings {
 public:
  /// Sets the bound values. Throws UsageError that names option, value and origin.
  void apply(std::span<const Assignment> source);
  /// Where the effective value of that option was said.
  std::string origin(const Option& option) const;

 private:
  std::map<std::string, std::string> origins_;
};

/// LQ_<OPTION> for every option of the table; a repeatable one holds one value a line.
std::vector<Assignment> environment_assignments(const OptionTable& table,
                                                const base::Environment& environment);

/// "LQ_TENSOR_TYPE" for "tensor-type".
std::string variable_name(const std::string& option_name);

/// Every option with its value and origin as YAML that --config reads again.
std::string print_settings(const std::string& tool, const OptionTable& table,
                           const Settings& settings);
/// The same as the object {name: {"value": ..., "source": ...}}.
nlohmann::ordered_json settings_json(const OptionTable& table, const Settings& settings);

}  // namespace lq::cli
