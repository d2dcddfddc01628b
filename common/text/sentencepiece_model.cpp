#include "common/text/sentencepiece_model.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <system_error>
#include <utility>

#include "common/io/input_file.h"

namespace lq::text {
namespace {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  std::uint64_t number = 0;
  WireType wire = WireType::kVarint;
  std::uint64_t value = 0;  // varint and fixed
  std::string_view bytes;   // length-delimited
};

/// The fields of one message, in order. After the last one next() is false; ok() tells whether that
/// was its end.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  bool next(Field& field) {
    if (rest_.empty() || !ok_) return false;
    std::uint64_t key = 0;
    ok_ = varint(key);
    field.number = key >> 3U;
    field.wire = static_cast<WireType>(key & 7U);
    ok_ = ok_ && field.number > 0 && content(field);
    return ok_;
  }
  bool ok() const { return ok_; }

 private:
  bool varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool fixed(std::uint64_t& value, std::size_t n_bytes) {
    if (rest_.size() < n_bytes) return false;
    value = 0;
    for (std::size_t i = 0; i < n_bytes; ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    }
    rest_.remove_prefix(n_bytes);
    return true;
  }

  bool content(Field& field) {
    switch (field.wire) {
      case WireType::kVarint:
        return varint(field.value);
      case WireType::kFixed64:
        return fixed(field.value, 8);
      case WireType::kFixed32:
        return fixed(field.value, 4);
      case WireType::kBytes:
        if (!varint(field.value) || field.value > rest_.size()) return false;
        field.bytes = rest_.substr(0, field.value);
        rest_.remove_prefix(field.value);
        return true;
    }
    return false;
  }

  std::string_view rest_;
  bool ok_ = true;
};

bool parse_piece(std::string_view bytes, SentencePiece& piece) {
  MessageReader reader(bytes);
  for (Field field; reader.next(field);) {
    if (field.number == 1 && field.wire == WireType::kBytes) piece.text = field.bytes;
    if (field.number == 2 && field.wire == WireType::kFixed32) {
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    }
    if (field.number == 3 && field.wire == WireType::kVarint) {
      if (field.value < 1 || field.value > 6) return false;
      piece.type = static_cast<TokenType>(field.value);
    }
  }
  return reader.ok() && std::isfinite(piece.score);
}

/// The number in field `number` of a message, where it has one.
std::optional<std::uint64_t> varint_field(std::string_view bytes, std::uint64_t number) {
  std::optional<std::uint64_t> value;
  MessageReader reader(bytes);
  for (Field field; reader.next(field);) {
    if (field.number == number && field.wire == WireType::kVarint) value = field.value;
  }
  return value;
}

/// The bytes in field `number` of a message; empty where it has none.
std::string_view bytes_field(std::string_view bytes, std::uint64_t number) {
  std::string_view value;
  MessageReader reader(bytes);
  for (Field field; reader.next(field);) {
    if (field.number == number && field.wire == WireType::kBytes) value = field.bytes;
  }
  return value;
}

}  // namespace

std::optional<SentencePieceModel> parse_sentencepiece(std::string_view bytes) {
  constexpr std::uint64_t kUnigram = 1, kBpe = 2;
  constexpr std::size_t kMaxPieces = std::size_t{1}
                                     << 24;  // a piece may take two bytes of the file
  SentencePieceModel model;
  MessageReader reader(bytes);
  for (Field field; reader.next(field);) {
    if (field.wire != WireType::kBytes) continue;
    if (field.number == 1) {
      SentencePiece piece;
      if (!parse_piece(field.bytes, piece) || model.pieces.size() == kMaxPieces) {
        return std::nullopt;
      }
      model.pieces.push_back(std::move(piece));
    } else if (field.number == 2) {
      const std::uint64_t kind = varint_field(field.bytes, 3).value_or(kBpe);
      model.is_bpe = kind == kBpe;
      model.is_unigram = kind == kUnigram;
    } else if (field.number == 3) {
      model.precompiled_charsmap = bytes_field(field.bytes, 2);
      model.add_dummy_prefix = varint_field(field.bytes, 3).value_or(1) != 0;
      model.remove_extra_whitespaces = varint_field(field.bytes, 4).value_or(1) != 0;
    }
  }
  if (!reader.ok() || model.pieces.empty()) return std::nullopt;
  return model;
}

std::optional<SentencePieceModel> read_sentencepiece_file(const std::filesystem::path& path) {
  constexpr std::uint64_t kMaxModelBytes = std::uint64_t{64} << 20;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  return parse_sentencepiece(io::read_text_file(path, kMaxModelBytes));
}

}  // namespace lq::text
