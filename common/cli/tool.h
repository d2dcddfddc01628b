#pragma once
// What all seven tools share: main() of each is a Tool and `return run_tool(argc, argv, tool)`.

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/errors.h"
#include "common/cli/option_table.h"
#include "common/stage/run_stage.h"

namespace lq::cli {

/// Facts about a tool that --help, completion and the man page print.
struct ToolSpec {
  std::string name;      // "lq-quant-gguf"
  std::string operands;  // "MODEL"
  std::string summary;   // one sentence
  int min_operands = 1, max_operands = 1;
  bool makes_output = true;  // has -o, --force, --shard ...; false for report tools
  std::vector<std::string> examples;  // runnable lines
  std::vector<base::ExitCode> exit_codes;
};

/// The common options after parsing (spec: --output, --threads, --memory, ...).
struct CommonOptions {
  std::string output;       // empty = the tool's default
  bool json = false, null_terminated = false;
  stage::StageOptions stage;
};

/// What a tool prints on stdout: result lines, or a report.
struct ToolResult {
  std::vector<std::string> lines;     // one per result (paths), or the report's text
  nlohmann::ordered_json json;        // the object of --json, without schema/tool/status/seconds
  std::string status = "ok";          // made, uptodate, ok, planned
  base::ExitCode code = base::ExitCode::kDone;
};

class Tool {
 public:
  virtual ~Tool() = default;
  virtual const ToolSpec& spec() const = 0;
  virtual void declare(OptionTable& table) = 0;
  /// Cross-field checks after parsing; opens nothing. Throws UsageError.
  virtual void validate(const std::vector<std::string>& operands, const CommonOptions& common) = 0;
  virtual ToolResult run(const std::vector<std::string>& operands, const CommonOptions& common,
                         stage::StageObserver& observer) = 0;
};

/// The whole of main(): parses, sets up logging, progress and signals, runs, prints, maps errors to exit codes.
int run_tool(int argc, char** argv, Tool& tool);

}  // namespace lq::cli
