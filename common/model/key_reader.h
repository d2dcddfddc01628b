#pragma once
// One JSON object of config.json, read key by key: values of the wrong kind are named with their
// key.

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lq::model {

/// GGUF keeps whole numbers in 32 bits.
inline constexpr std::int64_t kMaxNumber = std::numeric_limits<std::int32_t>::max();

/// All readers take the first of the spellings that is there and not null, and throw
/// ValidationError for a value of the wrong kind.
class KeyReader {
 public:
  /// `object` is referred to; `prefix` stands before its keys in messages.
  KeyReader(const nlohmann::json& object, std::filesystem::path file, std::string prefix = "")
      : object_(object), file_(std::move(file)), prefix_(std::move(prefix)) {}

  /// Whether the key is there, be it with null.
  bool has(std::string_view key) const { return object_.contains(key); }
  /// The value, whatever it is, or nullptr; its name goes to `found`.
  const nlohmann::json* find(std::span<const std::string_view> keys, std::string& found) const;
  std::optional<double> real(std::initializer_list<std::string_view> keys) const;
  std::optional<double> positive(std::initializer_list<std::string_view> keys) const;
  /// A whole number in [lowest, highest]; "1e4" and "4096.0" are whole numbers too.
  std::optional<std::int64_t> whole(std::initializer_list<std::string_view> keys,
                                    std::int64_t lowest = 1,
                                    std::int64_t highest = kMaxNumber) const;
  std::string text(std::initializer_list<std::string_view> keys) const;
  bool flag(std::string_view name, bool absent) const;

  /// Throws ValidationError: `key`, with its prefix, is `value`.
  [[noreturn]] void reject(const std::string& key, const nlohmann::json& value,
                           std::string_view expected) const;

  const std::filesystem::path& file() const { return file_; }

 private:
  const nlohmann::json& object_;
  std::filesystem::path file_;
  std::string prefix_;
};

}  // namespace lq::model
