#include "common/cli/tool_options.h"

#include <algorithm>
#include <unistd.h>

#include "common/base/text.h"
#include "common/cli/completion.h"
#include "common/cli/help.h"
#include "common/cli/recipe.h"
#include "common/cli/settings.h"
#include "common/cli/version.h"

namespace lq::cli {

ToolOptions::ToolOptions(Tool& tool, const base::Environment& environment)
    : tool_(tool), environment_(environment) {
  tool_.declare(table_);
  declare_common(table_, tool_.spec().makes_output, common_, session_, environment_);
}

void ToolOptions::parse(const std::vector<std::string>& argv) {
  for (const std::string& word : argv) {
    const bool is_address = word.find("://") != std::string::npos;
    common_.argv.push_back(is_address ? base::without_secrets(word) : word);
  }
  line_ = parse_command_line(argv, table_);
  if (typed("output") == "") {
    throw base::UsageError("the value of --output is empty", "perhaps a variable is not set",
                           "name a place, or leave --output out for the default");
  }
}

std::optional<std::string> ToolOptions::typed(const std::string& option_name) const {
  std::optional<std::string> value;
  for (const Assignment& assignment : line_.assignments) {
    if (assignment.option->name == option_name) value = assignment.value;
  }
  return value;
}

std::optional<std::string> ToolOptions::information() const {
  if (typed("help")) return help_text(tool_.spec(), table_);
  if (typed("version")) return version_text(tool_.spec().name, typed("verbose").has_value());
  const std::optional<std::string> shell = typed("completion");
  if (!shell) return std::nullopt;
  Settings().apply(std::vector<Assignment>{{table_.find("completion"), *shell, kCommandLine}});
  return completion_script(session_.completion, tool_.spec(), table_);
}

void ToolOptions::settle() {
  settings_.apply(machine_defaults(table_, environment_));
  settings_.apply(tool_.defaults(table_, environment_));
  std::vector<std::filesystem::path> recipes;
  for (const std::filesystem::path& path : default_recipes(environment_)) {
    if (::access(path.c_str(), F_OK) == 0) recipes.push_back(path);
  }
  const std::string named = typed("config").value_or(environment_.get("LQ_CONFIG"));
  if (!named.empty()) recipes.emplace_back(named);
  if (!recipes.empty()) {
    const std::vector<std::string> keys = common_keys();
    for (const std::filesystem::path& path : recipes) {
      settings_.apply(read_recipe(path, tool_.spec().name, table_, keys));
    }
  }
  settings_.apply(environment_assignments(table_, environment_));
  settings_.apply(line_.assignments);
  settled_ = true;
}

bool ToolOptions::wants_json() const {
  if (settled_) return common_.json;
  // A run that fails before its options are known still owes its caller an object.
  const auto end_of_options = std::ranges::find(common_.argv, "--");
  if (std::find(common_.argv.begin(), end_of_options, "--json") != end_of_options) return true;
  const std::string variable = base::to_lower(environment_.get("LQ_JSON"));
  return variable == "1" || variable == "true" || variable == "yes" || variable == "on";
}

std::string ToolOptions::print_config() const {
  const std::string& name = tool_.spec().name;
  if (!common_.json) return print_settings(name, table_, settings_);
  ToolResult result;
  result.json["config"] = settings_json(table_, settings_);
  return render(result, name, true, false, 0);
}

}  // namespace lq::cli
