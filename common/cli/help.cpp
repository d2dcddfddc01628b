#include "common/cli/help.h"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>
#include <string_view>

namespace lq::cli {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kTextColumn = 29;

/// "  -o, --output PATH"
std::string left_column(const Option& option) {
  std::string left = option.letter != 0 ? fmt::format("  -{}, ", option.letter) : "      ";
  left += "--" + option.name;
  if (option.optional_value) return left + "[=" + option.value_name + "]";
  return option.is_flag() ? left : left + " " + option.value_name;
}

/// `text` in words from `column` on, lines after the first indented to it.
std::string wrap(std::string_view text, std::size_t column) {
  std::string wrapped;
  std::size_t used = column;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    if (used > column && used + 1 + word.size() > kWidth) {
      wrapped += "\n" + std::string(column, ' ');
      used = column;
    }
    if (used > column) {
      wrapped += ' ';
      ++used;
    }
    wrapped += word;
    used += word.size();
  }
  return wrapped;
}

std::string option_lines(const Option& option) {
  std::string left = left_column(option);
  // Two spaces at least between the columns, or the text starts on a line of its own.
  if (left.size() + 2 > kTextColumn) {
    left += "\n" + std::string(kTextColumn, ' ');
  } else {
    left.resize(kTextColumn, ' ');
  }
  return left + wrap(option.help, kTextColumn) + "\n";
}

}  // namespace

std::string help_text(const ToolSpec& spec, const OptionTable& table) {
  std::string text = fmt::format("Usage: {} [OPTION]... {}\n{}\n", spec.name, spec.operands,
                                 wrap(spec.summary, 0));
  std::string group;
  for (const Option& option : table.options()) {
    if (option.group != group) text += "\n" + option.group + ":\n";
    group = option.group;
    text += option_lines(option);
  }
  text += "\nExamples:\n";
  for (const std::string& example : spec.examples) text += "  " + example + "\n";
  text += "\nExit status:\n";
  std::vector<base::ExitCode> codes = spec.exit_codes;
  std::ranges::sort(codes);
  for (const base::ExitCode code : codes) {
    text += fmt::format("  {:>3}  {}\n", static_cast<int>(code),
                        wrap(base::exit_code_row(code).meaning, 7));
  }
  text += fmt::format(
      "\nReport bugs to the project's issue tracker, with the output of\n"
      "{} --version -v and of the failing command with -vv.\n",
      spec.name);
  return text;
}

}  // namespace lq::cli
