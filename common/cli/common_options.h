#pragma once
// The options that every tool has.

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/environment.h"
#include "common/cli/option_table.h"
#include "common/cli/settings.h"
#include "common/stage/run_stage.h"

namespace lq::cli {

/// What the tools see of the common options after parsing.
struct CommonOptions {
  std::string output;  // as typed; empty = the tool's default
  bool json = false, null_terminated = false;
  std::filesystem::path tmp_dir;  // scratch; empty = beside the output
  std::string depfile;            // written by run_tool, see ToolResult::dependencies
  std::vector<std::string> argv;  // as typed but for secrets in addresses; the program's name first
  stage::StageOptions stage;
};

inline constexpr int kErrorsOnly = -2, kQuiet = -1, kNormal = 0, kVerbose = 1, kDebug = 2;

/// What run_tool itself acts upon.
struct SessionOptions {
  int verbosity = kNormal;
  std::string progress = "auto", log_file, log_format = "text";
  std::string config, completion;
  bool print_config = false, help = false, version = false;
};

/// Adds them to the table. `makes_output`: also those about the result and the run that makes it.
/// All arguments are referred to from then on.
void declare_common(OptionTable& table, bool makes_output, CommonOptions& common,
                    SessionOptions& session, const base::Environment& environment);

/// Every key that a tool may have besides its own options, for `common` sections of recipes.
std::vector<std::string> common_keys();

/// Defaults that come from the machine: threads (OMP_NUM_THREADS, SLURM_CPUS_PER_TASK, allowed
/// processors), memory (80 % of what is available), the scratch directory (TMPDIR).
std::vector<Assignment> machine_defaults(const OptionTable& table,
                                         const base::Environment& environment);

/// "2/3", or "auto" with SLURM's array variables. Throws UsageError.
stage::Shard parse_shard(const std::string& text, const base::Environment& environment);

}  // namespace lq::cli
