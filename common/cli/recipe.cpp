#include "common/cli/recipe.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <yaml-cpp/yaml.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/input_file.h"

namespace lq::cli {
namespace {

constexpr std::uint64_t kMaxRecipeBytes = std::uint64_t{1} << 20U;

/// The sections that a recipe may have besides `common`.
const std::vector<std::string>& tool_names() {
  static const std::vector<std::string> kNames = {"lq-fetch",      "lq-inspect",   "lq-calibrate",
                                                  "lq-quant-gguf", "lq-quant-awq", "lq-quant-gptq",
                                                  "lq-verify"};
  return kNames;
}

/// The text of a key. YAML reads the name of the option `null` as its null.
std::string key_text(const YAML::Node& key) { return key.IsNull() ? "null" : key.Scalar(); }

class RecipeReader {
 public:
  RecipeReader(std::string file, std::string tool, const OptionTable& table,
               const std::vector<std::string>& common_keys)
      : file_(std::move(file)), tool_(std::move(tool)), table_(table), common_keys_(common_keys) {}

  std::vector<Assignment> read(const std::string& text) {
    try {
      const YAML::Node root = YAML::Load(text);
      if (root.IsNull()) return {};
      read_root(root);
    } catch (const YAML::Exception& error) {
      throw base::UsageError("cannot read " + place(error.mark),
                             "it is not YAML: " + base::escape_controls(error.msg),
                             "correct the file, or name another with --config");
    }
    return std::move(found_);
  }

 private:
  std::string place(const YAML::Mark& mark) const {
    return mark.is_null() ? file_ : fmt::format("{}:{}", file_, mark.line + 1);
  }

  [[noreturn]] void refuse(const YAML::Node& at, const std::string& what, const std::string& why,
                           const std::string& fix) const {
    throw base::UsageError(what + " in " + place(at.Mark()), why, fix);
  }

  void read_root(const YAML::Node& root) {
    if (!root.IsMap()) {
      refuse(root, "no sections", "a recipe is a map of sections",
             fmt::format("write options under 'common:' or '{}:'", tool_));
    }
    std::vector<std::string> sections = tool_names();
    sections.insert(sections.end(), {"common", tool_});
    for (const auto& entry : root) check_section(entry.first, sections);
    for (const std::string& section : {std::string("common"), tool_}) {
      for (const auto& entry : root) {
        if (key_text(entry.first) == section) read_section(section, entry.second);
      }
    }
  }

  void check_section(const YAML::Node& key, const std::vector<std::string>& sections) const {
    const std::string name = key_text(key);
    if (std::ranges::find(sections, name) != sections.end()) return;
    const std::string near = base::nearest(name, sections);
    std::string fix =
        fmt::format("the sections are common and the names of the tools, such as {}", tool_);
    if (!near.empty()) fix = fmt::format("did you mean {}?", near);
    if (table_.find(name) != nullptr) fix = fmt::format("move it below 'common:' or '{}:'", tool_);
    refuse(key, fmt::format("unknown section '{}'", base::escape_controls(name)),
           "the top level of a recipe has one map per tool and 'common'", fix);
  }

  void read_section(const std::string& section, const YAML::Node& map) {
    if (map.IsNull()) return;
    if (!map.IsMap()) {
      refuse(map, fmt::format("section '{}' is no map", section),
             "it holds a single value or a list", "write one 'option: value' a line below it");
    }
    for (const auto& entry : map) {
      const std::string name = key_text(entry.first);
      const Option* option = table_.find(name);
      if (option != nullptr && option->in_recipes) {
        add(*option, entry.first, entry.second);
      } else if (section != "common" ||
                 std::ranges::find(common_keys_, name) == common_keys_.end()) {
        refuse_key(section, entry.first);
      }
    }
  }

  [[noreturn]] void refuse_key(const std::string& section, const YAML::Node& key) const {
    std::vector<std::string> names = table_.names(true);
    if (section == "common") names.insert(names.end(), common_keys_.begin(), common_keys_.end());
    const std::string near = base::nearest(key_text(key), names);
    const bool command_line_only = table_.find(key_text(key)) != nullptr;
    refuse(key, fmt::format("unknown option '{}'", base::escape_controls(key_text(key))),
           command_line_only ? "it works on the command line only"
                             : fmt::format("'{}' has no option of that name", section),
           command_line_only || near.empty() ? fmt::format("{} --help lists the options", tool_)
                                             : fmt::format("did you mean {}?", near));
  }

  void add(const Option& option, const YAML::Node& key, const YAML::Node& value) {
    if (value.IsSequence() && option.repeatable) {
      for (const YAML::Node& item : value) add_scalar(option, key, item);
    } else {
      add_scalar(option, key, value);
    }
  }

  void add_scalar(const Option& option, const YAML::Node& key, const YAML::Node& value) {
    if (!value.IsScalar()) {
      refuse(key, fmt::format("option '{}' has no single value", option.name),
             value.IsNull() ? "nothing stands behind it" : "it is a list or a map",
             option.is_flag() ? fmt::format("write '{}: true'", option.name)
                              : fmt::format("write '{}: {}'", option.name, option.value_name));
    }
    std::string text = value.Scalar();
    if (option.optional_value) {
      const std::string word = base::to_lower(text);
      if (word == "false" || word == "no" || word == "off") return;
      if (word == "true" || word == "yes" || word == "on") text.clear();
    }
    found_.push_back({&option, text, place(key.Mark())});
  }

  std::string file_, tool_;
  const OptionTable& table_;
  const std::vector<std::string>& common_keys_;
  std::vector<Assignment> found_;
};

}  // namespace

std::vector<std::filesystem::path> default_recipes(const base::Environment& environment) {
  std::string directories = environment.get("XDG_CONFIG_DIRS");
  if (directories.empty()) directories = "/etc/xdg";
  std::vector<std::filesystem::path> paths;
  const auto add = [&](const std::filesystem::path& directory) {
    // The XDG specification has relative paths ignored.
    if (directory.is_absolute()) paths.push_back(directory / "lq" / "config.yaml");
  };
  std::istringstream list(directories);
  for (std::string directory; std::getline(list, directory, ':');) add(directory);
  std::ranges::reverse(paths);  // the first directory is the most important one
  const std::string home = environment.get("XDG_CONFIG_HOME");
  if (!home.empty()) {
    add(home);
  } else if (!environment.get("HOME").empty()) {
    add(std::filesystem::path(environment.get("HOME")) / ".config");
  }
  return paths;
}

std::vector<Assignment> read_recipe(const std::filesystem::path& path, const std::string& tool,
                                    const OptionTable& table,
                                    const std::vector<std::string>& common_keys) {
  const std::string name = base::shown(path);
  std::string text;
  try {
    text = io::read_text_file(path, kMaxRecipeBytes);
  } catch (const base::QuantizationError& error) {
    throw base::UsageError("cannot read config file " + name, error.why(),
                           "name a file that exists and can be read");
  }
  return RecipeReader(name, tool, table, common_keys).read(text);
}

}  // namespace lq::cli
