#pragma once
// The options of a tool, declared once: parsing (getopt_long), --help, completion scripts, recipe
// keys (YAML), LQ_* variables and --print-config all read this table. An option is bound to a field
// of the tool's Options struct, which must outlive the table.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lq::cli {

/// One option. A flag is set with "true" or "false".
struct Option {
  std::string name = {};        // long spelling without dashes; also the recipe key
  char letter = 0;              // short spelling, 0 = none
  std::string value_name = {};  // "TYPE"; empty for a flag
  std::string help = {};
  std::string group = {};
  std::vector<std::string> choices = {};  // allowed values; matched without regard to case
  bool optional_value = false;            // --wait[=SEC]; set("") when none was given
  bool repeatable = false;                // each use adds a value; a YAML list is allowed
  bool in_recipes = true;                 // false: command line only (--help, --config ...)
  std::string counts_as = {};  // the option that it really changes: for --verbose, verbosity

  /// Takes a value. Throws UsageError, of which why and fix reach the user; `what` is written by
  /// the caller, who knows where the value came from.
  std::function<void(const std::string& value)> set = {};
  /// Repeatable options: forgets the values of a source of lower precedence.
  std::function<void()> clear = {};
  /// The effective value as text, "" = not set. Without it --print-config leaves the option out.
  std::function<std::string()> get = {};

  bool is_flag() const { return value_name.empty(); }
};

class OptionTable {
 public:
  /// Options declared from here on stand under this heading in --help. Before the first call:
  /// "Options".
  OptionTable& group(std::string title);
  OptionTable& flag(std::string name, char letter, bool& value, std::string help);
  OptionTable& text(std::string name, char letter, std::string value_name, std::string& value,
                    std::string help, std::vector<std::string> choices = {});
  /// The values of the source with the highest precedence, in the order given.
  OptionTable& list(std::string name, char letter, std::string value_name,
                    std::vector<std::string>& values, std::string help);
  OptionTable& integer(std::string name, char letter, std::string value_name, std::int64_t& value,
                       std::int64_t lowest, std::int64_t highest, std::string help);
  /// "512M", "4G" (powers of 1024), "4GB" (powers of 1000); 0 means not set.
  OptionTable& size(std::string name, char letter, std::string value_name, std::uint64_t& bytes,
                    std::string help);
  /// "90", "15m", "2h" in seconds.
  OptionTable& seconds(std::string name, char letter, std::string value_name,
                       std::optional<double>& value, std::string help);
  /// An option of any other kind; `group` is filled in. REQUIRES: `set` is there, name and letter
  /// are new.
  OptionTable& add(Option option);

  const std::vector<Option>& options() const { return options_; }
  const Option* find(std::string_view name) const;
  /// Long spellings of every option; with `recipes_only` those that a recipe may hold.
  std::vector<std::string> names(bool recipes_only = false) const;

 private:
  std::vector<Option> options_;
  std::string group_ = "Options";
};

}  // namespace lq::cli
