#pragma once
// The options of lq-inspect.

#include <optional>
#include <string>
#include <vector>

#include "common/cli/option_table.h"

namespace lq::inspect {

struct Options {
  bool tensors = false;
  bool estimate = false;
  std::string estimate_types;  // separated by commas; empty = all
  std::string diff;            // path of the other model, empty = no comparison
  std::string importance_path;
};

void declare(cli::OptionTable& table, Options& options);

/// Operands after `--estimate TYPE MODEL` has been understood the way `--estimate=TYPE MODEL` is:
/// an operand that names types and no file is taken as the list.
std::vector<std::string> claim_estimate_types(Options& options, std::vector<std::string> operands);

}  // namespace lq::inspect
