#include "common/cli/operands.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/stream.h"

namespace lq::cli {
namespace {

constexpr std::uint64_t kMaxPathBytes = std::uint64_t{64} << 20;

std::vector<std::string> split_paths(const std::string& text, bool null_terminated) {
  std::vector<std::string> paths;
  std::string path;
  const auto end_path = [&] {
    if (!path.empty()) paths.push_back(path);
    path.clear();
  };
  for (const char c : text) {
    if (c == '\0' || (c == '\n' && !null_terminated)) {
      end_path();
    } else {
      path += c;
    }
  }
  end_path();
  return paths;
}

}  // namespace

void check_operand_count(const ToolSpec& spec, const std::vector<std::string>& operands) {
  const auto count = static_cast<int>(operands.size());
  if (count < spec.min_operands) {
    const std::string example =
        spec.examples.empty() ? "" : fmt::format(", for example: {}", spec.examples.front());
    throw base::UsageError(
        fmt::format("no {} was given", spec.operands),
        fmt::format("usage: {} [OPTION]... {}", spec.name, spec.operands),
        fmt::format("name it{}; {} --help lists the options", example, spec.name));
  }
  if (count > spec.max_operands) {
    const std::string& first = operands[static_cast<std::size_t>(spec.max_operands)];
    throw base::UsageError(
        fmt::format("too many operands: {}", base::escape_controls(first)),
        fmt::format("{} takes {} and {} were given", spec.name, spec.max_operands, count),
        fmt::format("usage: {} [OPTION]... {}", spec.name, spec.operands));
  }
}

std::vector<std::string> expand_operands(const std::vector<std::string>& operands,
                                         bool null_terminated, int fd) {
  if (std::ranges::count(operands, "-") > 1) {
    throw base::UsageError("cannot read standard input twice", "'-' was given more than once",
                           "give '-' once");
  }
  std::vector<std::string> expanded;
  for (const std::string& operand : operands) {
    if (operand != "-") {
      expanded.push_back(operand);
      continue;
    }
    const std::vector<std::string> paths =
        split_paths(io::read_stream(fd, kMaxPathBytes, "cannot read a path from standard input",
                                    "connect standard input to a pipe or a file, or name the path"),
                    null_terminated);
    if (paths.empty()) {
      throw base::ModelNotFoundError("no path came from standard input",
                                     "the stage before produced no path: it failed",
                                     "look at its message above, or run it by itself");
    }
    expanded.insert(expanded.end(), paths.begin(), paths.end());
  }
  return expanded;
}

}  // namespace lq::cli
