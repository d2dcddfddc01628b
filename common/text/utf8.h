#pragma once
// Code points in UTF-8 text. What comes from outside is checked once, with first_invalid_utf8();
// everything behind that may rely on it.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lq::text {

struct CodePoint {
  char32_t value;
  std::size_t n_bytes;
};

/// The one that begins at byte `at`. REQUIRES: `text` is valid UTF-8, at < text.size().
CodePoint code_point_at(std::string_view text, std::size_t at);

/// The one that ends before byte `end`. REQUIRES: `text` is valid UTF-8, 0 < end <= text.size().
CodePoint code_point_before(std::string_view text, std::size_t end);

void append_utf8(char32_t value, std::string& text);

/// Where the first byte stands that is no part of a code point; nullopt for valid text.
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// Any bytes as text: those that are no part of a code point become U+FFFD, one for each longest
/// beginning of a code point or else one for each byte (Unicode 3.9, "maximal subparts").
std::string valid_utf8(std::string_view bytes);

}  // namespace lq::text
