#pragma once
// Byte-level BPE writes each byte of a text as one printable character, so that every text can be
// cut and no character is unknown: bytes that are printable in Latin-1 stand for themselves, the
// others are U+0100, U+0101, ... in ascending order. A space is U+0120, a newline U+010A.

#include <optional>
#include <string>
#include <string_view>

namespace lq::text {

/// Appends the characters of the bytes of `bytes`.
void append_byte_characters(std::string_view bytes, std::string& text);

/// The bytes whose characters `text` is; nullopt when one of its characters stands for no byte.
/// REQUIRES: `text` is valid UTF-8.
std::optional<std::string> bytes_of_characters(std::string_view text);

}  // namespace lq::text
