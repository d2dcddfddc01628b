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
  std::string tokenize;  // file of the text or "-", empty = nothing to tokenize
  bool no_special = false;
};

void declare(cli::OptionTable& table, Options& options);

/// The operands told apart: `--estimate TYPE MODEL` is read the way `--estimate=TYPE MODEL` is, in
/// any order, because an operand that names types and no file can only be the list.
struct Operands {
  std::vector<std::string> models;
  std::string estimate_types;  // separated by commas; empty = all
};
Operands split_operands(const Options& options, const std::vector<std::string>& operands);

}  // namespace lq::inspect
