#include "common/calibration/json_texts.h"

#include <algorithm>
#include <cstddef>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/text.h"
#include "common/io/json_events.h"

namespace lq::calibration {
namespace {

using Kind = io::JsonValue::Kind;

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view without_mark(std::string_view content) {
  return content.substr(content.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
}

/// Cuts the first line off `rest`, without its end.
std::string_view next_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  return line;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(kBlanks) == std::string_view::npos;
}

/// The first line that is not blank; `rest` is what follows it.
std::string_view first_line(std::string_view content, std::string_view& rest) {
  rest = content.substr(std::min(content.find_first_not_of(kBlanks), content.size()));
  return next_line(rest);
}

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return "a truth value";
    case Kind::kString:
      return "a string";
    case Kind::kObject:
      return "an object";
    case Kind::kArray:
      return "a list";
    default:
      return "a number";
  }
}

class TextCollector final : public io::JsonEvents {
 public:
  TextCollector(const std::string& field, std::vector<std::string>& texts)
      : JsonEvents(Outermost::kAny), field_(field), texts_(texts) {}

 protected:
  void value(const io::JsonValue& value) override {
    if (depth() == 0) {
      outermost_ = value.kind;
      fields_.clear();
      has_field_ = false;
      take_text_or_list("it", value);
    } else if (depth() == 1 && outermost_ == Kind::kArray) {
      take_element(value);
    } else if (depth() == 1 && key(0) == field_) {
      has_field_ = true;
      take_text_or_list(fmt::format("its `{}`", base::escape_controls(field_)), value);
    } else if (depth() == 1) {
      if (fields_.size() < kMostNamed) fields_.push_back(key(0));
    } else if (depth() == 2 && key(0) == field_) {
      take_element(value);
    }
  }

  void end() override {
    if (depth() == 0 && outermost_ == Kind::kObject && !has_field_) fail_without_field();
  }

  std::string fix() const override { return fix_; }

 private:
  static constexpr std::size_t kMostNamed = 8;

  void take_text_or_list(const std::string& what, const io::JsonValue& value) {
    n_elements_ = 0;
    if (value.kind == Kind::kString) {
      texts_.emplace_back(value.text);
    } else if (value.kind != Kind::kArray && (depth() != 0 || value.kind != Kind::kObject)) {
      fail_shape(fmt::format("{} is {}", what, name_of(value.kind)));
    }
  }

  void take_element(const io::JsonValue& value) {
    ++n_elements_;
    if (value.kind != Kind::kString) {
      fail_shape(
          fmt::format("element {} of its list is {}, no string", n_elements_, name_of(value.kind)));
    }
    texts_.emplace_back(value.text);
  }

  [[noreturn]] void fail_shape(std::string why) {
    const std::string field = base::escape_controls(field_);
    fix_ = fmt::format(
        "write the texts as [\"TEXT\", ...], as {{\"{}\": [\"TEXT\", ...]}}, or as {{\"{}\": "
        "\"TEXT\"}} on a line each",
        field, field);
    fail(std::move(why));
  }

  [[noreturn]] void fail_without_field() {
    std::string others;
    for (const std::string& name : fields_) {
      others += fmt::format("{}`{}`", others.empty() ? "" : ", ", base::escape_controls(name));
    }
    fix_ = "name the field that holds the texts with --field";
    fail(fmt::format("it has no field `{}`, {}", base::escape_controls(field_),
                     others.empty() ? "nor any other" : "but " + others));
  }

  const std::string& field_;
  std::vector<std::string>& texts_;
  Kind outermost_ = Kind::kNull;
  bool has_field_ = false;
  std::size_t n_elements_ = 0;       // of the list being read
  std::vector<std::string> fields_;  // the first others of the object being read
  std::string fix_ = "correct it there; plain text belongs in a file whose name ends in .txt";
};

}  // namespace

bool looks_like_json(std::string_view content) {
  content = without_mark(content);
  const std::size_t first = content.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return false;
  const char opening = content[first];
  if (opening != '[' && opening != '{' && opening != '"') return false;
  const std::size_t second = content.find_first_not_of(kBlanks, first + 1);
  if (second != std::string_view::npos && opening != '"') {
    if (content[second] == '"' || (opening == '[' && content[second] == '{')) return true;
  }
  std::string_view rest;
  return nlohmann::json::accept(first_line(content, rest));
}

void append_json_texts(std::string_view content, const std::string& field,
                       const std::string& subject, std::vector<std::string>& texts) {
  content = without_mark(content);
  TextCollector collector(field, texts);
  std::string_view rest;
  const std::string_view first = first_line(content, rest);
  if (is_blank(rest) || !nlohmann::json::accept(first)) {
    collector.parse(content, subject);
    return;
  }
  rest = content;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = next_line(rest);
    if (!is_blank(line)) collector.parse(line, fmt::format("{}, line {}", subject, number));
  }
}

}  // namespace lq::calibration
