#include "common/text/utf8.h"

#include <array>
#include <utf8proc.h>

namespace lq::text {
namespace {

const utf8proc_uint8_t* bytes_at(std::string_view text, std::size_t at) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

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

}  // namespace lq::text
