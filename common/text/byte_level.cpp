#include "common/text/byte_level.h"

#include <array>
#include <cstdint>

#include "common/text/utf8.h"

namespace lq::text {
namespace {

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

}  // namespace

void append_byte_characters(std::string_view bytes, std::string& text) {
  static const std::array<Character, 256> kCharacters = make_characters();
  for (const char byte : bytes) {
    const Character& character = kCharacters[static_cast<unsigned char>(byte)];
    text.append(character.utf8.data(), character.n_bytes);
  }
}

}  // namespace lq::text
