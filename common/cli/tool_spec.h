#pragma once
// Facts about a tool that --help and completion print.

#include <string>
#include <vector>

#include "common/base/errors.h"

namespace lq::cli {

struct ToolSpec {
  std::string name;      // "lq-quant-gguf"
  std::string operands;  // "MODEL"
  std::string summary;   // one sentence
  int min_operands = 1, max_operands = 1;
  bool makes_output = true;           // has -o, --force, --shard ...; false for report tools
  std::vector<std::string> examples;  // runnable lines
  std::vector<base::ExitCode> exit_codes;
};

}  // namespace lq::cli
