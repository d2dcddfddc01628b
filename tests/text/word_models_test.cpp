#include "common/text/word_models.h"

#include <gtest/gtest.h>

#include "common/text/subword_model.h"
#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

using Ids = std::vector<std::uint32_t>;

constexpr const char* kWordPiece = R"({"type": "WordPiece", "unk_token": "[U]",
  "max_input_chars_per_word": 6, "vocab": {"[U]": 0, "a": 1, "ab": 2, "##c": 3, "##cd": 4}})";

Ids ids_of(const std::string& model, const std::string& piece) {
  text::WordCache cache;
  Ids ids;
  text::make_subword_model(PartOf(model, "model").part)->tokenize(piece, cache, ids);
  return ids;
}

std::string why(const std::string& model) {
  return error_of<base::ValidationError>([&] { ids_of(model, "a"); }).why();
}

TEST(WordModels, WordPieceTakesTheLongestTokenAtEachPlace) {
  EXPECT_EQ(ids_of(kWordPiece, "abcd"), (Ids{2, 4}));
  EXPECT_EQ(ids_of(kWordPiece, "abcc"), (Ids{2, 3, 3}));
}

TEST(WordModels, WordPieceMakesAWholeWordUnknown) {
  EXPECT_EQ(ids_of(kWordPiece, "abx"), (Ids{0}));
  EXPECT_EQ(ids_of(kWordPiece, "abccccc"), (Ids{0}));  // longer than it may be
}

TEST(WordModels, WordLevelKnowsWholeWords) {
  const char* model = R"({"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0, "ab": 1}})";
  EXPECT_EQ(ids_of(model, "ab"), (Ids{1}));
  EXPECT_EQ(ids_of(model, "abc"), (Ids{0}));
}

TEST(WordModels, SayWhatIsWrong) {
  EXPECT_EQ(why(R"({"type": "WordLevel", "unk_token": "u", "vocab": {"a": 0}})"),
            "its unk_token 'u' is not in the vocabulary");
  EXPECT_EQ(why(R"({"type": "WordPiece", "unk_token": "a", "vocab": {"a": 0},
                    "max_input_chars_per_word": "x"})"),
            "its max_input_chars_per_word is not a number");
}

}  // namespace
}  // namespace lq::testing
