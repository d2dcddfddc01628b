#include "common/cli/command_line.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <getopt.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::cli {
namespace {

// What getopt_long returns for a long option: beyond every letter.
constexpr int kFirstLong = 256;

/// The table as getopt_long wants it. Pointers into it stay valid as long as the object.
class GetoptTables {
 public:
  explicit GetoptTables(const std::vector<Option>& options) : letters_(":") {
    int value = kFirstLong;
    for (const Option& option : options) {
      const bool needs_value = !option.is_flag() && !option.optional_value;
      longs_.push_back({option.name.c_str(), needs_value ? required_argument : optional_argument,
                        nullptr, value++});
      if (option.letter == 0) continue;
      letters_ += option.letter;
      if (!option.is_flag()) letters_ += option.optional_value ? "::" : ":";
    }
    longs_.push_back({nullptr, 0, nullptr, 0});
  }
  const char* letters() const { return letters_.c_str(); }
  const option* longs() const { return longs_.data(); }

 private:
  std::string letters_;
  std::vector<option> longs_;
};

const Option* option_of(int code, const std::vector<Option>& options) {
  if (code >= kFirstLong) return &options[static_cast<std::size_t>(code - kFirstLong)];
  const auto found = std::ranges::find(options, static_cast<char>(code), &Option::letter);
  return found == options.end() ? nullptr : &*found;
}

[[noreturn]] void refuse_long(const std::string& argument, const OptionTable& table) {
  const std::string name = argument.substr(2, argument.find('=') - 2);
  std::vector<std::string> longer;
  for (const std::string& candidate : table.names()) {
    if (!name.empty() && candidate.starts_with(name)) longer.push_back("--" + candidate);
  }
  const std::string shown = base::escape_controls(name);
  if (longer.size() > 1) {
    throw base::UsageError(fmt::format("option --{} is ambiguous", shown),
                           fmt::format("it could mean {}", fmt::join(longer, ", ")),
                           "write the name in full");
  }
  const std::string near = base::nearest(name, table.names());
  throw base::UsageError(
      fmt::format("unknown option --{}", shown), "there is no option of that name",
      near.empty() ? "--help lists the options" : fmt::format("did you mean --{}?", near));
}

[[noreturn]] void refuse_letter(char letter) {
  throw base::UsageError(
      fmt::format("unknown option -{}", base::escape_controls(std::string(1, letter))),
      "there is no option of that letter", "--help lists the options");
}

[[noreturn]] void refuse_missing_value(const Option& option) {
  throw base::UsageError(fmt::format("option --{} has no value", option.name),
                         fmt::format("it needs {}, and the command line ends", option.value_name),
                         fmt::format("write --{} {}", option.name, option.value_name));
}

}  // namespace

bool CommandLine::has(std::string_view option_name) const {
  return std::ranges::any_of(assignments,
                             [&](const Assignment& a) { return a.option->name == option_name; });
}

CommandLine parse_command_line(const std::vector<std::string>& argv, const OptionTable& table) {
  const GetoptTables tables(table.options());
  std::vector<std::string> copies = argv;
  std::vector<char*> pointers;
  for (std::string& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  const int count = static_cast<int>(argv.size());

  CommandLine found;
  optind = 0;  // 0 also resets what an earlier call left inside getopt
  opterr = 0;
  for (;;) {
    const int code =
        ::getopt_long(count, pointers.data(), tables.letters(), tables.longs(), nullptr);
    if (code == -1) break;
    if (code == ':') refuse_missing_value(*option_of(optopt, table.options()));
    if (code == '?') {
      if (optopt != 0) refuse_letter(static_cast<char>(optopt));
      refuse_long(pointers[static_cast<std::size_t>(optind - 1)], table);
    }
    const Option& option = *option_of(code, table.options());
    const std::string value = optarg != nullptr ? optarg : option.is_flag() ? "true" : "";
    found.assignments.push_back({&option, value, kCommandLine});
    if (option.name == "help") return found;
  }
  for (int i = optind; i < count; ++i) {
    found.operands.emplace_back(pointers[static_cast<std::size_t>(i)]);
  }
  return found;
}

}  // namespace lq::cli
