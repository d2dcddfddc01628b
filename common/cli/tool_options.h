#pragma once
// The options of one run of one tool: its table, what the command line says, and the values after
// every source.

#include <optional>
#include <string>
#include <vector>

#include "common/cli/command_line.h"
#include "common/cli/common_options.h"
#include "common/cli/tool.h"

namespace lq::cli {

class ToolOptions {
 public:
  /// `tool` and `environment` are referred to from then on.
  ToolOptions(Tool& tool, const base::Environment& environment);
  ToolOptions(const ToolOptions&) = delete;
  ToolOptions& operator=(const ToolOptions&) = delete;

  /// Throws UsageError. REQUIRES: called before the members below.
  void parse(const std::vector<std::string>& argv);
  /// What --help, --version or --completion print. No recipe is read for them, so that they work
  /// whatever it holds.
  std::optional<std::string> information() const;
  /// Applies defaults, recipes, variables and the command line. Throws UsageError.
  void settle();
  /// Whether --json was asked for, as far as it is known: before settle() by a look at the words.
  bool wants_json() const;
  /// What --print-config prints.
  std::string print_config() const;

  const std::vector<std::string>& operands() const { return line_.operands; }
  const OptionTable& table() const { return table_; }
  const Settings& settings() const { return settings_; }
  CommonOptions& common() { return common_; }
  const CommonOptions& common() const { return common_; }
  const SessionOptions& session() const { return session_; }

 private:
  /// The last value that the command line gives to that option.
  std::optional<std::string> typed(const std::string& option_name) const;

  Tool& tool_;
  const base::Environment& environment_;
  CommonOptions common_;
  SessionOptions session_;
  OptionTable table_;
  CommandLine line_;
  Settings settings_;
  bool settled_ = false;
};

}  // namespace lq::cli
