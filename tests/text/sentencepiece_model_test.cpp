#include "common/text/sentencepiece_model.h"

#include <gtest/gtest.h>
#include <limits>

#include "tests/text/sentencepiece_file.h"

namespace lq::testing {
namespace {

using text::parse_sentencepiece;
using text::TokenType;

TEST(SentencePieceModel, IsReadPieceByPiece) {
  const std::string file =
      piece("<unk>", 0, 2) + piece("\u2581a", -1.5F, 1) + model_kind(2) + dummy_prefix(false);
  const auto model = parse_sentencepiece(file);
  ASSERT_TRUE(model.has_value());
  ASSERT_EQ(model->pieces.size(), 2);
  EXPECT_EQ(model->pieces[0].text, "<unk>");
  EXPECT_EQ(model->pieces[0].type, TokenType::kUnknown);
  EXPECT_EQ(model->pieces[1].text, "\u2581a");
  EXPECT_EQ(model->pieces[1].score, -1.5F);
  EXPECT_TRUE(model->is_bpe);
  EXPECT_FALSE(model->add_dummy_prefix);
}

TEST(SentencePieceModel, OfAnotherKindSaysSo) {
  EXPECT_FALSE(parse_sentencepiece(piece("a", 0, 1) + model_kind(1))->is_bpe);
  EXPECT_TRUE(parse_sentencepiece(piece("a", 0, 1))->is_bpe);
  EXPECT_TRUE(parse_sentencepiece(piece("a", 0, 1))->add_dummy_prefix);
}

TEST(SentencePieceModel, SkipsFieldsThatItDoesNotKnow) {
  const std::string unknown =
      "\x30\x05" + field(9, "xyz") + std::string("\x51\1\2\3\4\5\6\7\x08", 9);
  EXPECT_EQ(parse_sentencepiece(unknown + piece("a", 0, 1))->pieces.size(), 1);
}

TEST(SentencePieceModel, IsNoneWhereBytesAreSomethingElse) {
  EXPECT_FALSE(parse_sentencepiece("").has_value());
  EXPECT_FALSE(
      parse_sentencepiece("IQ== 0\nIg== 1\n").has_value());  // the text of another tokenizer
  EXPECT_FALSE(parse_sentencepiece("version https://git-lfs.github.com/spec/v1\n").has_value());
  EXPECT_FALSE(parse_sentencepiece(piece("a", 0, 7)).has_value());
  EXPECT_FALSE(
      parse_sentencepiece(piece("a", std::numeric_limits<float>::infinity(), 1)).has_value());
}

TEST(SentencePieceModel, IsSafeOnTruncatedAndLyingBytes) {
  const std::string file = piece("<unk>", 0, 2) + piece("abc", -1, 1) + model_kind(2);
  for (std::size_t n = 0; n < file.size(); ++n) {
    const auto model = parse_sentencepiece(std::string_view(file).substr(0, n));
    EXPECT_LE(model ? model->pieces.size() : 0, 2);
  }
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const char byte : {'\x00', '\x7f', '\xff'}) {
      std::string damaged = file;
      damaged[i] = byte;
      static_cast<void>(parse_sentencepiece(damaged));
    }
  }
  EXPECT_FALSE(parse_sentencepiece("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").has_value());
}

}  // namespace
}  // namespace lq::testing
