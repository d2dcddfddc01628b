#pragma once
// Completion scripts for shells, from the option table.

#include <string>

#include "common/cli/option_table.h"
#include "common/cli/tool_spec.h"

namespace lq::cli {

/// `shell` is "bash", "zsh" or "fish".
std::string completion_script(const std::string& shell, const ToolSpec& spec,
                              const OptionTable& table);

}  // namespace lq::cli
