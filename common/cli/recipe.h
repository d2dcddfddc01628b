#pragma once
// Recipes: YAML files that set options.
//
//   common:            # for every tool; options that a tool does not have are skipped
//     threads: 4
//   lq-quant-gguf:     # one map per tool, its keys are the long option names
//     type: [Q4_K_M, Q8_0]
//     pure: false
//
// Inside a file the tool's own map wins over `common`.

#include <filesystem>
#include <string>
#include <vector>

#include "common/base/environment.h"
#include "common/cli/option_table.h"
#include "common/cli/settings.h"

namespace lq::cli {

/// The system's and the user's recipes, the weakest first, whether they exist or not: config.yaml
/// in lq/ below each of XDG_CONFIG_DIRS (/etc/xdg) and XDG_CONFIG_HOME (~/.config).
std::vector<std::filesystem::path> default_recipes(const base::Environment& environment);

/// The assignments of a recipe for one tool. `common_keys` are the options that a tool may have
/// besides its own. Throws UsageError with file and line for what is not YAML, unknown keys (the
/// nearest named), values of a wrong shape, and a file that is missing or cannot be read.
std::vector<Assignment> read_recipe(const std::filesystem::path& path, const std::string& tool,
                                    const OptionTable& table,
                                    const std::vector<std::string>& common_keys);

}  // namespace lq::cli
