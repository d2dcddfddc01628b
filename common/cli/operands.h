#pragma once
// The operands of a tool: how many there are, and `-` replaced by the paths on standard input.

#include <string>
#include <vector>

#include "common/cli/tool_spec.h"

namespace lq::cli {

/// Throws UsageError that names what is missing or too much.
void check_operand_count(const ToolSpec& spec, const std::vector<std::string>& operands);

/// Replaces "-" by the paths that `fd` holds until its end, each ended by newline or NUL
/// (`null_terminated`: NUL only). Throws ModelNotFoundError when there is none, UsageError for "-"
/// given twice.
std::vector<std::string> expand_operands(const std::vector<std::string>& operands,
                                         bool null_terminated, int fd);

}  // namespace lq::cli
