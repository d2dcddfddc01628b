#include "common/text/sentencepiece_tokenizer.h"

#include <gtest/gtest.h>

#include "common/text/tokenizer.h"
#include "tests/support/scratch.h"
#include "tests/text/sentencepiece_file.h"

namespace lq::testing {
namespace {

using Ids = std::vector<std::uint32_t>;

constexpr int kUnigram = 1, kBpe = 2;

std::string control_pieces() {
  return piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3);
}

/// Ids 3 to 8.
std::string letter_pieces() {
  return piece("ab", -1, 1) + piece("\u2581ab", -2, 1) + piece("\u2581", -3, 1) +
         piece("a", -4, 1) + piece("b", -5, 1) + piece("<0x78>", 0, 6);
}

std::string normalizer(bool prefix, bool remove_spaces) {
  return field(3, varint_field(3, prefix ? 1 : 0) + varint_field(4, remove_spaces ? 1 : 0));
}

Ids ids_of(const std::string& model, const std::string& text, const std::string& config = "{}") {
  const ScratchDirectory scratch;
  scratch.write("tokenizer.model", model);
  scratch.write("tokenizer_config.json", config);
  return text::open_tokenizer(scratch.path()).encode(text, true).ids;
}

std::string text_of(const std::string& model, const Ids& ids, bool skip_special = false) {
  const ScratchDirectory scratch;
  scratch.write("tokenizer.model", model);
  return text::open_tokenizer(scratch.path()).decode(ids, skip_special);
}

template <class E>
std::string why(const std::string& model) {
  return error_of<E>([&] { ids_of(model, "a"); }).why();
}

TEST(SentencePieceTokenizer, OfKindBpeJoinsTheBestPieceFirst) {
  const std::string model =
      model_kind(kBpe) + normalizer(true, false) + control_pieces() + letter_pieces();
  EXPECT_EQ(ids_of(model, "ab"), (Ids{1, 4}));
  EXPECT_EQ(ids_of(model, "ab  ba"), (Ids{1, 4, 5, 5, 7, 6}));
  EXPECT_EQ(ids_of(model, "ax"), (Ids{1, 5, 6, 8}));
  EXPECT_EQ(ids_of(model, "a</s>"), (Ids{1, 5, 6, 2}));
}

TEST(SentencePieceTokenizer, OfKindUnigramTakesTheBestSum) {
  const std::string model =
      model_kind(kUnigram) + normalizer(true, true) + control_pieces() + letter_pieces();
  EXPECT_EQ(ids_of(model, "  ab   a "), (Ids{4, 5, 6}));
}

TEST(SentencePieceTokenizer, FollowsTheConfigInWhatSurroundsAText) {
  const std::string model =
      model_kind(kBpe) + normalizer(false, false) + control_pieces() + letter_pieces();
  EXPECT_EQ(ids_of(model, "a"), (Ids{1, 6}));
  EXPECT_EQ(ids_of(model, "a", R"({"add_bos_token": false, "add_eos_token": true})"), (Ids{6, 2}));
  EXPECT_EQ(ids_of(model, "a", R"({"bos_token": "</s>"})"), (Ids{2, 6}));
}

TEST(SentencePieceTokenizer, OfKindBpeMakesTextOfMarksAndBytes) {
  const auto model = [](bool prefix) {
    return model_kind(kBpe) + normalizer(prefix, false) + control_pieces() + letter_pieces();
  };
  EXPECT_EQ(text_of(model(true), {4, 5, 5, 7, 8, 6}), "ab  bxa");
  EXPECT_EQ(text_of(model(true), {1, 4, 2}), "<s> ab</s>");
  EXPECT_EQ(text_of(model(true), {1, 4, 2}, true), "ab");
  EXPECT_EQ(text_of(model(false), {4}), " ab");
}

TEST(SentencePieceTokenizer, OfKindUnigramMakesTextOfMarksAndBytes) {
  const auto model = [](bool prefix) {
    return model_kind(kUnigram) + normalizer(prefix, true) + control_pieces() + letter_pieces();
  };
  EXPECT_EQ(text_of(model(true), {4, 5, 6, 8}), "ab ax");
  EXPECT_EQ(text_of(model(false), {4, 5, 6, 8}), " ab ax");
}

TEST(SentencePieceTokenizer, SaysWhatItCannotUse) {
  EXPECT_EQ(why<base::UnsupportedError>("no model"), "it is not a SentencePiece model");
  EXPECT_EQ(why<base::UnsupportedError>(model_kind(3) + control_pieces()),
            "it is a SentencePiece model, but neither of kind BPE nor of kind Unigram");
  EXPECT_EQ(why<base::ValidationError>(model_kind(kBpe) + piece("\xFF", 0, 1)),
            "a piece of it is not UTF-8 text");
}

}  // namespace
}  // namespace lq::testing
