#include "common/text/vocabulary_tokenizer.h"

#include <gtest/gtest.h>

#include "common/text/tokenizer.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using nlohmann::json;
using text::TokenType;
using text::Vocabulary;
using text::VocabularyKind;

Vocabulary byte_level() {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::kByteLevelBpe;
  vocabulary.pre = "qwen2";
  vocabulary.source = "m/model.gguf";
  vocabulary.tokens = {"a", "b", "ab", "<s>", "<x>"};
  vocabulary.types = {TokenType::kNormal, TokenType::kNormal, TokenType::kNormal,
                      TokenType::kControl, TokenType::kUserDefined};
  vocabulary.merges = {"a b"};
  vocabulary.special_ids = {{"bos", 3}};
  return vocabulary;
}

TEST(VocabularyTokenizer, HasThePartsOfTokenizerJson) {
  const json tokenizer = text::vocabulary_tokenizer(byte_level());
  EXPECT_EQ(tokenizer["model"]["vocab"],
            (json{{"a", 0}, {"b", 1}, {"ab", 2}, {"<s>", 3}, {"<x>", 4}}));
  EXPECT_EQ(tokenizer["model"]["merges"], (json{"a b"}));
  EXPECT_EQ(tokenizer["model"]["ignore_merges"], false);
  EXPECT_EQ(tokenizer["normalizer"], (json{{"type", "NFC"}}));
  EXPECT_EQ(tokenizer["added_tokens"],
            json::parse(R"([{"content": "<s>", "special": true, "normalized": false},
                            {"content": "<x>", "special": false, "normalized": false}])"));
  EXPECT_EQ(tokenizer["post_processor"]["single"].size(), 1U);
  EXPECT_EQ(tokenizer["decoder"], (json{{"type", "ByteLevel"}}));
}

TEST(VocabularyTokenizer, PutsTokensAroundATextWhereItIsAsked) {
  Vocabulary vocabulary = byte_level();
  vocabulary.add_bos = true;
  vocabulary.add_eos = true;  // of which nothing says what it is
  const text::Tokenizer tokenizer(text::vocabulary_tokenizer(vocabulary), vocabulary.source);
  EXPECT_EQ(tokenizer.encode("ab", true).ids, (std::vector<std::uint32_t>{3, 2}));
}

TEST(VocabularyTokenizer, IsTheReverseOfReadingAVocabulary) {
  const std::filesystem::path dir = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama";
  const Vocabulary vocabulary = text::read_vocabulary(dir, 2048, {});
  const text::Tokenizer tokenizer(text::vocabulary_tokenizer(vocabulary), vocabulary.source);
  const text::Tokenizer source = text::open_tokenizer(dir);
  const std::string text = "Some words, 1234 of them.\n\n  <|end|> \u00e9";
  EXPECT_EQ(tokenizer.encode(text, true).ids, source.encode(text, true).ids);
  EXPECT_EQ(tokenizer.decode(source.encode(text, false).ids), text);
}

TEST(VocabularyTokenizer, OfPiecesMakesTextOfMarksAndBytes) {
  Vocabulary vocabulary;
  vocabulary.kind = VocabularyKind::kSentencePieceBpe;
  vocabulary.tokens = {"<s>", "\u2581a", "<0xC3>", "<0xA9>"};
  vocabulary.types = {TokenType::kControl, TokenType::kNormal, TokenType::kByte, TokenType::kByte};
  vocabulary.scores = {0, 0, 0, 0};
  const auto text = [&] {
    const text::Tokenizer tokenizer(text::vocabulary_tokenizer(vocabulary), vocabulary.source);
    return tokenizer.decode(std::vector<std::uint32_t>{0, 1, 2, 3, 1}, true);
  };
  EXPECT_EQ(text(), "a\u00E9 a");
  vocabulary.add_space_prefix = false;
  EXPECT_EQ(text(), " a\u00E9 a");
}

TEST(VocabularyTokenizer, NamesTheFileInItsErrors) {
  Vocabulary vocabulary = byte_level();
  vocabulary.tokens[1] = "a";
  const auto same =
      error_of<base::ValidationError>([&] { text::vocabulary_tokenizer(vocabulary); });
  EXPECT_EQ(std::string(same.what()), "cannot use the tokenizer of m/model.gguf");
  EXPECT_EQ(same.why(), "tokens 0 and 1 have the same text 'a'");
  EXPECT_EQ(same.fix(), "get the file from its source again, or convert the model again");
  vocabulary = byte_level();
  vocabulary.pre = "default";
  const auto pre =
      error_of<base::UnsupportedError>([&] { text::vocabulary_tokenizer(vocabulary); });
  EXPECT_EQ(std::string(pre.what()), "cannot use the tokenizer of m/model.gguf");
  EXPECT_EQ(pre.why(), "its pre-tokenizer 'default' is none of those known here");
  EXPECT_EQ(pre.fix(), "use a model whose tokenizer has the parts that lq knows");
}

}  // namespace
}  // namespace lq::testing
