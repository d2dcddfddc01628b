#include "common/cli/completion.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lq::cli {
namespace {

/// The name as part of a shell function: "lq_quant_gguf".
std::string identifier(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string single_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

bool names_directory(const Option& option) { return option.value_name == "DIR"; }

/// What to offer after an option: its choices, directories, or files.
std::string bash_values(const Option& option) {
  if (!option.choices.empty()) {
    return fmt::format("compgen -W '{}' -- \"$word\"", fmt::join(option.choices, " "));
  }
  return names_directory(option) ? "compgen -d -- \"$word\"" : "compgen -f -- \"$word\"";
}

std::string bash_script(const ToolSpec& spec, const OptionTable& table) {
  std::string cases, words;
  for (const Option& option : table.options()) {
    words += (words.empty() ? "--" : " --") + option.name;
    if (option.letter != 0) words += fmt::format(" -{}", option.letter);
    if (option.is_flag() || option.optional_value) continue;
    cases += "    --" + option.name;
    if (option.letter != 0) cases += fmt::format("|-{}", option.letter);
    cases += fmt::format(") mapfile -t COMPREPLY < <({}); return ;;\n", bash_values(option));
  }
  const std::string function = "_" + identifier(spec.name);
  return fmt::format(
      "# bash completion for {0}\n"
      "{1}() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  if [[ $word == = ]]; then word=''; fi\n"
      "  if [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}; fi\n"
      "  case $before in\n{2}  esac\n"
      "  if [[ $word == -* ]]; then\n"
      "    mapfile -t COMPREPLY < <(compgen -W '{3}' -- \"$word\")\n"
      "  else\n"
      "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "  fi\n"
      "}}\n"
      "complete -o filenames -F {1} {0}\n",
      spec.name, function, cases, words);
}

/// Inside the brackets of an _arguments specification.
std::string zsh_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh_script(const ToolSpec& spec, const OptionTable& table) {
  std::string lines;
  const auto add = [&](const std::string& spelling, const Option& option) {
    std::string line = option.repeatable ? "*" : "";
    line += spelling;
    if (!option.is_flag()) line += option.optional_value ? "=-" : spelling.size() > 2 ? "=" : "+";
    line += "[" + zsh_escaped(option.help) + "]";
    if (!option.is_flag()) {
      const std::string action = !option.choices.empty()
                                     ? fmt::format("({})", fmt::join(option.choices, " "))
                                 : names_directory(option) ? "_files -/"
                                                           : "_files";
      line += fmt::format("{}{}:{}", option.optional_value ? "::" : ":",
                          zsh_escaped(option.value_name), action);
    }
    lines += "  " + single_quoted(line) + " \\\n";
  };
  for (const Option& option : table.options()) {
    if (option.letter != 0) add(fmt::format("-{}", option.letter), option);
    add("--" + option.name, option);
  }
  return fmt::format("#compdef {}\n_arguments -s -S \\\n{}  '*:{}:_files'\n", spec.name, lines,
                     zsh_escaped(spec.operands));
}

std::string fish_script(const ToolSpec& spec, const OptionTable& table) {
  std::string lines = fmt::format("# fish completion for {}\n", spec.name);
  for (const Option& option : table.options()) {
    lines += fmt::format("complete -c {} -l {}", spec.name, option.name);
    if (option.letter != 0) lines += fmt::format(" -s {}", option.letter);
    if (!option.choices.empty()) {
      lines += fmt::format(" -x -a {}",
                           single_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    } else if (names_directory(option)) {
      lines += " -x -a '(__fish_complete_directories)'";
    } else if (!option.is_flag() && !option.optional_value) {
      lines += " -r";
    }
    lines += " -d " + single_quoted(option.help) + "\n";
  }
  return lines;
}

}  // namespace

std::string completion_script(const std::string& shell, const ToolSpec& spec,
                              const OptionTable& table) {
  if (shell == "bash") return bash_script(spec, table);
  if (shell == "zsh") return zsh_script(spec, table);
  return fish_script(spec, table);
}

}  // namespace lq::cli
