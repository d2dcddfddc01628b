#include "common/cli/depfile.h"

#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::cli {
namespace {

/// A name as GNU make reads it back. `%` is special (and its backslash taken away) before the colon
/// of a rule only.
std::string make_name(const std::string& name, bool is_target) {
  std::string escaped;
  std::size_t backslashes = 0;
  for (const char c : name) {
    if (c == '\n') {
      throw base::UsageError("cannot write a depfile that names " + base::escape_controls(name),
                             "make has no way to name a file with a newline",
                             "rename the file, or leave out --depfile");
    }
    if (c == '$') {
      escaped += '$';
    } else if (c == ' ' || c == '\t' || c == '#' || c == ':' || (c == '%' && is_target)) {
      // Backslashes stand for themselves except in front of an escape.
      escaped.append(backslashes + 1, '\\');
    }
    backslashes = c == '\\' ? backslashes + 1 : 0;
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::vector<std::string> depfile_targets(const std::vector<std::string>& results,
                                         const std::string& typed_output,
                                         const std::filesystem::path& here) {
  if (results.size() == 1 && !typed_output.empty() &&
      typed_output.find("{type}") == std::string::npos) {
    return {typed_output};
  }
  std::vector<std::string> targets;
  for (const std::string& result : results) {
    const bool absolute = std::filesystem::path(typed_output).is_absolute();
    const std::filesystem::path relative = std::filesystem::path(result).lexically_relative(here);
    targets.push_back(absolute || relative.empty() ? result : relative.string());
  }
  return targets;
}

std::string depfile_text(const std::vector<std::string>& targets,
                         const std::vector<std::string>& dependencies) {
  std::string text;
  for (const std::string& target : targets) {
    text += (text.empty() ? "" : " ") + make_name(target, true);
  }
  text += ":";
  for (const std::string& dependency : dependencies) {
    text += " \\\n  " + make_name(dependency, false);
  }
  text += "\n";
  for (const std::string& dependency : dependencies) text += make_name(dependency, true) + ":\n";
  return text;
}

}  // namespace lq::cli
