#include "common/text/utf8.h"

#include <array>
#include <utf8proc.h>

namespace lq::text {
namespace {

const utf8proc_uint8_t* bytes_at(std::string_view text, std::size_t at) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

/// Bytes of the longest beginning of a code point there, 1 where none begins. The second byte alone
/// decides between a beginning and what is overlong, a surrogate or too high. REQUIRES: `text` is
/// not empty and does not begin with a whole code point.
std::size_t n_begun(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const auto second = text.size() > 1 ? static_cast<unsigned char>(text[1]) : 0U;
  const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (first < 0xE0 || first > 0xF4 || second < lowest || second > highest) return 1;
  return first >= 0xF0 && text.size() > 2 && is_continuation(text[2]) ? 3 : 2;
}

}  // namespace

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1};
  utf8proc_int32_t value = 0;
  const auto n_bytes =
      utf8proc_iterate(bytes_at(text, at), static_cast<utf8proc_ssize_t>(text.size() - at), &value);
  return {static_cast<char32_t>(value), static_cast<std::size_t>(n_bytes)};
}

CodePoint code_point_before(std::string_view text, std::size_t end) {
  std::size_t at = end - 1;
  while (at > 0 && is_continuation(text[at])) --at;
  return code_point_at(text, at);
}

void append_utf8(char32_t value, std::string& text) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto n = utf8proc_encode_char(static_cast<utf8proc_int32_t>(value), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(n));
}

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    utf8proc_int32_t value = 0;
    const auto n = utf8proc_iterate(bytes_at(text, at),
                                    static_cast<utf8proc_ssize_t>(text.size() - at), &value);
    if (n <= 0) return at;
    at += static_cast<std::size_t>(n);
  }
  return std::nullopt;
}

std::string valid_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (const auto at = first_invalid_utf8(bytes)) {
    text.append(bytes.substr(0, *at)).append("\uFFFD");
    bytes.remove_prefix(*at);
    bytes.remove_prefix(n_begun(bytes));
  }
  return text.append(bytes);
}

}  // namespace lq::text
