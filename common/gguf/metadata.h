#pragma once
// The key-value block of a GGUF file, in file order.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lq::gguf {

/// Scalars stand in the order of the format's value type ids, then arrays in the same order of
/// their elements. The format has no id of its own for an array (9 stands for all of them), so that
/// ids and positions differ from 9 on; format.h has the rule.
using Value =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t,
                 std::int32_t, float, bool, std::string, std::uint64_t, std::int64_t, double,
                 std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>,
                 std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>;

class Metadata {
 public:
  /// Replaces the value of an existing key in place, else appends.
  void set(std::string key, Value value);
  const Value* find(std::string_view key) const;
  /// nullptr when the key is absent or has another type.
  template <class T>
  const T* get(std::string_view key) const {
    const Value* value = find(key);
    return value ? std::get_if<T>(value) : nullptr;
  }
  const std::vector<std::pair<std::string, Value>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, Value>> entries_;
  std::map<std::string, std::size_t, std::less<>> places_;  // into entries_
};

}  // namespace lq::gguf
