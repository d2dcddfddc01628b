#pragma once
// Bytes of a tokenizer.model, put together field by field.

#include <cstdint>
#include <cstring>
#include <string>

namespace lq::testing {

/// A length-delimited field. REQUIRES: number < 16, content below 128 bytes.
inline std::string field(int number, const std::string& content) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(content.size())} +
         content;
}

inline std::string varint_field(int number, int value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}

inline std::string piece(const std::string& text, float score, int type) {
  std::string bytes(sizeof score, '\0');
  std::memcpy(bytes.data(), &score, sizeof score);
  return field(1, field(1, text) + "\x15" + bytes + varint_field(3, type));
}

inline std::string model_kind(int kind) { return field(2, varint_field(3, kind)); }
inline std::string dummy_prefix(bool add) { return field(3, varint_field(3, add ? 1 : 0)); }

}  // namespace lq::testing
