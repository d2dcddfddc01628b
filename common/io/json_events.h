#pragma once
// JSON from outside as a stream of events: nothing is built in memory, so that a hostile file costs
// no more than its own size. Refused while parsing: doubled keys, nesting deeper than kMaxDepth,
// bytes that nlohmann's parser would pass over (a byte order mark, NUL) and, unless asked for,
// anything that is not one object.
//
// A subclass looks at depth() and key(i) to know where a value stands: key(0) is the key in the
// outermost object.

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace lq::io {

struct JsonValue {
  enum class Kind { kNull, kBool, kUnsigned, kNegative, kReal, kString, kObject, kArray };
  Kind kind;
  std::uint64_t number = 0;  // for kUnsigned
  std::string_view text{};   // for kString
};

class JsonEvents {
 public:
  static constexpr std::size_t kMaxDepth = 32;
  enum class Outermost { kObject, kAny };

  explicit JsonEvents(Outermost outermost = Outermost::kObject) : outermost_(outermost) {}
  virtual ~JsonEvents() = default;

  /// `subject` starts every message: "cannot read the header of FILE". Throws ValidationError.
  void parse(std::string_view text, const std::string& subject);

 protected:
  /// Called for every value below the outermost object, with Outermost::kAny for the outermost value
  /// as well, at depth 0; for objects and arrays before their contents.
  virtual void value(const JsonValue& value) = 0;
  /// Called after the last value of an object or array that stood at depth().
  virtual void end() {}
  /// What to do about a text that is refused.
  virtual std::string fix() const;

  /// Number of objects and arrays around the value; 1 for the values of the outermost object.
  std::size_t depth() const { return frames_.size(); }
  /// The key under which level `level` is being filled; empty for elements of arrays.
  const std::string& key(std::size_t level) const { return frames_[level].key; }

  [[noreturn]] void fail(std::string why) const;

 private:
  friend struct JsonSax;
  struct Frame {
    std::string key;
    std::unordered_set<std::string> seen;
  };

  void pass(const JsonValue& passed);
  void open(JsonValue::Kind kind);
  void close();

  Outermost outermost_;
  std::string subject_;
  std::vector<Frame> frames_;
};

}  // namespace lq::io
