#include "common/net/wildcard.h"

#include <cstddef>
#include <string>
#include <vector>

namespace lq::net {
namespace {

/// Length of the UTF-8 sequence that starts with `lead`; 1 where none does.
std::size_t sequence_length(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 1;
}

/// Characters, not bytes, are what `?` and sets stand for. A byte that belongs to none keeps a value
/// of its own beyond Unicode.
std::u32string characters(std::string_view text) {
  constexpr char32_t kBeyondUnicode = 0x110000;
  std::u32string decoded;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    std::size_t length = sequence_length(byte(i));
    if (length > text.size() - i) length = 1;
    char32_t c = length == 1 ? byte(i) : byte(i) & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) length = 1;
      c = (c << 6U) | (byte(i + k) & 0x3FU);
    }
    if (length == 1) c = byte(i) < 0x80 ? byte(i) : kBeyondUnicode + byte(i);
    decoded += c == U'\\' ? U'/' : c;
    i += length;
  }
  return decoded;
}

struct Piece {
  enum class Kind { kCharacter, kAnyCharacter, kAnything, kSet };
  Kind kind;
  char32_t character = 0;
  std::u32string_view set{};  // the inside of the brackets, without `!`
  bool negated = false;
};

/// `-` at either end of a set is itself; a range that runs downwards has no members.
bool is_member(char32_t c, std::u32string_view set) {
  for (std::size_t i = 0; i < set.size();) {
    if (i + 2 < set.size() && set[i + 1] == U'-') {
      if (set[i] <= c && c <= set[i + 2]) return true;
      i += 3;
    } else if (set[i++] == c) {
      return true;
    }
  }
  return false;
}

class Pattern {
 public:
  explicit Pattern(std::string_view text) : text_(characters(text)) {
    if (text_.ends_with(U'/')) text_ += U'*';
    last_bracket_ = text_.rfind(U']');
    for (std::size_t i = 0; i < text_.size();) i = add_piece(i);
  }
  Pattern(const Pattern&) = delete;  // pieces look into the text
  Pattern& operator=(const Pattern&) = delete;

  /// A failure goes back to the last `*` only: what an earlier one could take instead, the last one
  /// can take as well.
  bool matches(std::u32string_view path) const {
    std::size_t p = 0, i = 0, star = pieces_.size(), taken = 0;
    while (i < path.size()) {
      if (p < pieces_.size() && pieces_[p].kind == Piece::Kind::kAnything) {
        star = p++;
        taken = i;
      } else if (p < pieces_.size() && accepts(pieces_[p], path[i])) {
        ++p;
        ++i;
      } else if (star < pieces_.size()) {
        p = star + 1;
        i = ++taken;
      } else {
        return false;
      }
    }
    while (p < pieces_.size() && pieces_[p].kind == Piece::Kind::kAnything) ++p;
    return p == pieces_.size();
  }

 private:
  static bool accepts(const Piece& piece, char32_t c) {
    if (piece.kind == Piece::Kind::kCharacter) return piece.character == c;
    if (piece.kind == Piece::Kind::kSet) return is_member(c, piece.set) != piece.negated;
    return true;
  }

  /// Returns where the next piece begins.
  std::size_t add_piece(std::size_t i) {
    const char32_t c = text_[i];
    if (c == U'[') {
      if (const std::size_t next = add_set(i + 1); next > 0) return next;
    }
    Piece::Kind kind = Piece::Kind::kCharacter;
    if (c == U'*') kind = Piece::Kind::kAnything;
    if (c == U'?') kind = Piece::Kind::kAnyCharacter;
    pieces_.push_back({.kind = kind, .character = c});
    return i + 1;
  }

  /// 0 when the bracket before `begin` is never closed.
  std::size_t add_set(std::size_t begin) {
    const bool negated = begin < text_.size() && text_[begin] == U'!';
    if (negated) ++begin;
    // A bracket that comes first is a member. Looking for the other one only where there is one
    // keeps a row of opening brackets from costing the square of its length.
    const std::size_t from = begin + 1;
    if (last_bracket_ == std::u32string::npos || from > last_bracket_) return 0;
    const std::size_t end = text_.find(U']', from);
    pieces_.push_back({.kind = Piece::Kind::kSet,
                       .set = std::u32string_view(text_).substr(begin, end - begin),
                       .negated = negated});
    return end + 1;
  }

  std::u32string text_;
  std::size_t last_bracket_ = std::u32string::npos;
  std::vector<Piece> pieces_;
};

}  // namespace

bool matches(std::string_view pattern, std::string_view path) {
  return Pattern(pattern).matches(characters(path));
}

}  // namespace lq::net
