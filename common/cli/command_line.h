#pragma once
// argv through getopt_long: options and operands in any order, `--` ends options, long names may be
// shortened as long as they stay unique. A flag that a recipe sets is taken back with --flag=false.

#include <string>
#include <vector>

#include "common/cli/option_table.h"
#include "common/cli/settings.h"

namespace lq::cli {

struct CommandLine {
  std::vector<Assignment> assignments;  // in the order given
  std::vector<std::string> operands;

  bool has(std::string_view option_name) const;
};

/// `argv` with the program's name first. Stops at --help, so that it works whatever follows. Throws
/// UsageError for an unknown option (the nearest named), an ambiguous one and a missing value.
CommandLine parse_command_line(const std::vector<std::string>& argv, const OptionTable& table);

}  // namespace lq::cli
