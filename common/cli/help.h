#pragma once
// --help in the shape that help2man reads: usage, one sentence, options in groups, examples, exit
// status.

#include <string>

#include "common/cli/option_table.h"
#include "common/cli/tool_spec.h"

namespace lq::cli {

/// Lines of at most 80 columns (an example may be longer), whatever the terminal.
std::string help_text(const ToolSpec& spec, const OptionTable& table);

}  // namespace lq::cli
