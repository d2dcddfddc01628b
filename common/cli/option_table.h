#pragma once
// The options of a tool, declared once: parsing (getopt_long), --help, completion scripts, recipe keys (YAML) and
// LQ_* variables all read this table. An option is bound to a field of the tool's Options struct.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lq::cli {

struct Option {
  std::string name;        // long spelling without dashes; also the recipe key
  char letter = 0;         // short spelling, 0 = none
  std::string value_name;  // "TYPE"; empty for a flag
  std::string help;
  std::string group;
  std::vector<std::string> choices;  // allowed values; matched without regard to case
  bool optional_value = false;       // --wait[=SEC]
  bool repeatable = false;           // each use adds a value; a YAML list is allowed
  bool in_recipes = true;            // false: command line only (--help, --config ...)
  std::function<void(const std::string& value)> set;  // throws UsageError
  std::function<std::string()> get;                   // the effective value as text
};

class OptionTable {
 public:
  /// Options declared from here on stand under this heading in --help.
  OptionTable& group(std::string title);
  OptionTable& flag(std::string name, char letter, bool& value, std::string help);
  OptionTable& text(std::string name, char letter, std::string value_name, std::string& value,
                    std::string help, std::vector<std::string> choices = {});
  OptionTable& list(std::string name, char letter, std::string value_name,
                    std::vector<std::string>& values, std::string help);
  OptionTable& integer(std::string name, char letter, std::string value_name, std::int64_t& value,
                       std::int64_t lowest, std::int64_t highest, std::string help);
  OptionTable& size(std::string name, char letter, std::string value_name, std::uint64_t& bytes,
                    std::string help);
  OptionTable& add(Option option);

  const std::vector<Option>& options() const { return options_; }
  const Option* find(std::string_view name) const;

 private:
  std::vector<Option> options_;
  std::string group_;
};

}  // namespace lq::cli
