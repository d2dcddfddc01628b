#include "common/cli/option_table.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "common/cli/values.h"

namespace lq::cli {

OptionTable& OptionTable::group(std::string title) {
  group_ = std::move(title);
  return *this;
}

OptionTable& OptionTable::add(Option option) {
  const auto same = [&](const Option& other) {
    return other.name == option.name || (option.letter != 0 && other.letter == option.letter);
  };
  if (option.name.empty() || !option.set || std::ranges::any_of(options_, same)) {
    throw std::logic_error("option --" + option.name + " is declared twice or cannot be set");
  }
  option.group = group_;
  options_.push_back(std::move(option));
  return *this;
}

OptionTable& OptionTable::flag(std::string name, char letter, bool& value, std::string help) {
  return add({.name = std::move(name),
              .letter = letter,
              .help = std::move(help),
              .set = [&value](const std::string& text) { value = text == "true"; },
              .get = [&value] { return std::string(value ? "true" : "false"); }});
}

OptionTable& OptionTable::text(std::string name, char letter, std::string value_name,
                               std::string& value, std::string help,
                               std::vector<std::string> choices) {
  return add({.name = std::move(name),
              .letter = letter,
              .value_name = std::move(value_name),
              .help = std::move(help),
              .choices = std::move(choices),
              .set = [&value](const std::string& text) { value = text; },
              .get = [&value] { return value; }});
}

OptionTable& OptionTable::list(std::string name, char letter, std::string value_name,
                               std::vector<std::string>& values, std::string help) {
  return add({.name = std::move(name),
              .letter = letter,
              .value_name = std::move(value_name),
              .help = std::move(help),
              .repeatable = true,
              .set = [&values](const std::string& text) { values.push_back(text); },
              .clear = [&values] { values.clear(); },
              .get =
                  [&values] {
                    std::string joined;
                    for (const std::string& value : values) {
                      joined += (joined.empty() ? "" : "\n") + value;
                    }
                    return joined;
                  }});
}

OptionTable& OptionTable::integer(std::string name, char letter, std::string value_name,
                                  std::int64_t& value, std::int64_t lowest, std::int64_t highest,
                                  std::string help) {
  return add({.name = std::move(name),
              .letter = letter,
              .value_name = std::move(value_name),
              .help = std::move(help),
              .set = [&value, lowest, highest](
                         const std::string& text) { value = parse_integer(text, lowest, highest); },
              .get = [&value] { return std::to_string(value); }});
}

OptionTable& OptionTable::size(std::string name, char letter, std::string value_name,
                               std::uint64_t& bytes, std::string help) {
  return add({.name = std::move(name),
              .letter = letter,
              .value_name = std::move(value_name),
              .help = std::move(help),
              .set = [&bytes](const std::string& text) { bytes = parse_size(text); },
              .get = [&bytes] { return bytes == 0 ? std::string() : std::to_string(bytes); }});
}

OptionTable& OptionTable::seconds(std::string name, char letter, std::string value_name,
                                  std::optional<double>& value, std::string help) {
  return add({.name = std::move(name),
              .letter = letter,
              .value_name = std::move(value_name),
              .help = std::move(help),
              .set = [&value](const std::string& text) { value = parse_seconds(text); },
              .get = [&value] { return value ? format_number(*value) : std::string(); }});
}

const Option* OptionTable::find(std::string_view name) const {
  const auto option = std::ranges::find(options_, name, &Option::name);
  return option == options_.end() ? nullptr : &*option;
}

std::vector<std::string> OptionTable::names(bool recipes_only) const {
  std::vector<std::string> found;
  for (const Option& option : options_) {
    if (option.in_recipes || !recipes_only) found.push_back(option.name);
  }
  return found;
}

}  // namespace lq::cli
