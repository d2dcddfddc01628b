#include "common/io/json_events.h"

#include <fmt/format.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::io {

// nlohmann's names for the events.
struct JsonSax : nlohmann::json_sax<nlohmann::json> {
  explicit JsonSax(JsonEvents& to) : events(to) {}

  bool pass(const JsonValue& value) {
    events.pass(value);
    return true;
  }
  bool null() override { return pass({JsonValue::Kind::kNull}); }
  bool boolean(bool) override { return pass({JsonValue::Kind::kBool}); }
  // "-0" arrives here as well, with the value 0.
  bool number_integer(number_integer_t) override { return pass({JsonValue::Kind::kNegative}); }
  bool number_unsigned(number_unsigned_t number) override {
    return pass({JsonValue::Kind::kUnsigned, number});
  }
  bool number_float(number_float_t, const string_t&) override {
    return pass({JsonValue::Kind::kReal});
  }
  bool string(string_t& text) override { return pass({JsonValue::Kind::kString, 0, text}); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    events.open(JsonValue::Kind::kObject);
    return true;
  }
  bool start_array(std::size_t) override {
    events.open(JsonValue::Kind::kArray);
    return true;
  }
  bool end_object() override {
    events.close();
    return true;
  }
  bool end_array() override {
    events.close();
    return true;
  }
  bool key(string_t& name) override {
    JsonEvents::Frame& frame = events.frames_.back();
    if (!frame.seen.insert(name).second) {
      events.fail(fmt::format("the key `{}` appears twice", base::escape_controls(name)));
    }
    frame.key = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    const bool encoding = std::string_view(error.what()).find("UTF-8") != std::string_view::npos;
    events.fail(
        fmt::format("it is not valid {} at byte {}", encoding ? "UTF-8" : "JSON", position));
  }

  JsonEvents& events;
};

void JsonEvents::fail(std::string why) const {
  throw base::ValidationError(subject_, std::move(why), fix());
}

std::string JsonEvents::fix() const {
  return "fetch the file again, or write it anew with the program that made it";
}

void JsonEvents::pass(const JsonValue& passed) {
  if (!frames_.empty() || outermost_ == Outermost::kAny) value(passed);
}

void JsonEvents::open(JsonValue::Kind kind) {
  pass({kind});
  if (frames_.size() == kMaxDepth) {
    fail(fmt::format("objects and arrays stand more than {} deep in each other", kMaxDepth));
  }
  frames_.emplace_back();
}

void JsonEvents::close() {
  frames_.pop_back();
  end();
}

void JsonEvents::parse(std::string_view text, const std::string& subject) {
  subject_ = subject;
  frames_.clear();
  // The parser takes a NUL for the end of the text and passes over a byte order mark.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) fail(fmt::format("it is not valid JSON at byte {}", nul + 1));
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_object = first != std::string_view::npos && text[first] == '{';
  if (outermost_ == Outermost::kObject && !is_object) fail("it does not start with `{`");
  if (text.starts_with("\xEF\xBB\xBF")) fail("it starts with a byte order mark");
  JsonSax sax(*this);
  nlohmann::json::sax_parse(text.begin(), text.end(), &sax);
}

}  // namespace lq::io
