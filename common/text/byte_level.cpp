#include "common/text/byte_level.h"

#include <array>
#include <cstdint>

#include "common/text/utf8.h"

namespace lq::text {
namespace {

/// One more than the highest character: 68 bytes are not printable.
constexpr std::size_t kCharactersEnd = 0x100 + 68;

struct Character {
  std::array<char, 2> utf8;
  std::uint8_t n_bytes;
};

std::array<Character, 256> make_characters() {
  std::array<Character, 256> characters{};
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    std::string text;
    append_utf8(printable ? byte : next++, text);
    characters[byte] = {{text[0], text.size() > 1 ? text[1] : '\0'},
                        static_cast<std::uint8_t>(text.size())};
  }
  return characters;
}

/// By code point; nullopt where it stands for no byte.
std::array<std::optional<char>, kCharactersEnd> make_bytes() {
  std::array<std::optional<char>, kCharactersEnd> bytes;
  for (int byte = 0; byte < 256; ++byte) {
    std::string text;
    append_byte_characters(std::string(1, static_cast<char>(byte)), text);
    bytes[code_point_at(text, 0).value] = static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

void append_byte_characters(std::string_view bytes, std::string& text) {
  static const std::array<Character, 256> kCharacters = make_characters();
  for (const char byte : bytes) {
    const Character& character = kCharacters[static_cast<unsigned char>(byte)];
    text.append(character.utf8.data(), character.n_bytes);
  }
}

std::optional<std::string> bytes_of_characters(std::string_view text) {
  static const std::array<std::optional<char>, kCharactersEnd> kBytes = make_bytes();
  std::string bytes;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    if (point.value >= kCharactersEnd || !kBytes[point.value]) return std::nullopt;
    bytes += *kBytes[point.value];
    at += point.n_bytes;
  }
  return bytes;
}

}  // namespace lq::text
