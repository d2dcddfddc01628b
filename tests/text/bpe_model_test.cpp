#include "common/text/bpe_model.h"

#include <gtest/gtest.h>
#include <random>

#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

json small_model() {
  return {{"type", "BPE"},
          {"vocab",
           {{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"bc", 4}, {"abc", 5}, {"?", 6}, {"aa", 7}}},
          {"merges", {"b c", json::array({"a", "bc"}), "a b", "a a"}}};
}

Ids ids_of(const json& model, const std::string& piece) {
  const auto made = text::make_subword_model(PartOf(model.dump(), "model").part);
  text::WordCache cache;
  Ids first, second;
  made->tokenize(piece, cache, first);
  made->tokenize(piece, cache, second);  // from the cache
  EXPECT_EQ(first, second);
  return first;
}

template <class E>
std::string why(const json& model) {
  return error_of<E>([&] { ids_of(model, "a"); }).why();
}

TEST(BpeModel, JoinsByTheEarliestMergeAndTheLeftmostPlace) {
  EXPECT_EQ(ids_of(small_model(), "abc"), (Ids{5}));
  EXPECT_EQ(ids_of(small_model(), "ab"), (Ids{3}));
  EXPECT_EQ(ids_of(small_model(), "aaa"), (Ids{7, 0}));
  EXPECT_EQ(ids_of(small_model(), "aab"), (Ids{0, 3}));
}

TEST(BpeModel, JoinsLongPiecesAsShortOnes) {
  std::mt19937_64 random(7);
  const auto model = text::make_subword_model(PartOf(small_model().dump(), "model").part);
  // No merge joins c with anything behind it, so that a text can be cut there by hand.
  std::string text;
  Ids expected;
  for (int i = 0; i < 200; ++i) {
    std::string part;
    for (std::size_t n = random() % 6; n > 0; --n) part += random() % 2 == 0 ? 'a' : 'b';
    part += 'c';
    text::WordCache cache;
    model->tokenize(part, cache, expected);
    text += part;
  }
  EXPECT_EQ(ids_of(small_model(), text), expected);
}

TEST(BpeModel, CutsAMegabyteWithoutSpaces) {
  EXPECT_EQ(ids_of(small_model(), std::string(std::size_t{1} << 20, 'a')).size(),
            std::size_t{1} << 19);
}

TEST(BpeModel, LeavesOutWhatIsUnknownUnlessThereIsATokenForIt) {
  json model = small_model();
  EXPECT_EQ(ids_of(model, "axyb"), (Ids{3}));
  model["unk_token"] = "?";
  EXPECT_EQ(ids_of(model, "axyb"), (Ids{0, 6, 6, 1}));
  model["fuse_unk"] = true;
  EXPECT_EQ(ids_of(model, "axyb"), (Ids{0, 6, 1}));
  EXPECT_EQ(ids_of(model, "xy"), (Ids{6}));
}

json fallback_model() {
  json model = small_model();
  for (int byte = 0; byte < 256; ++byte)
    model["vocab"][text::byte_token(static_cast<unsigned char>(byte))] = 100 + byte;
  model["byte_fallback"] = true;
  return model;
}

TEST(BpeModel, FallsBackToBytes) {
  EXPECT_EQ(ids_of(fallback_model(), "ab\u00E9"), (Ids{3, 100 + 0xC3, 100 + 0xA9}));
  json model = small_model();
  model["byte_fallback"] = true;
  model["vocab"]["<0xC3>"] = 8;
  EXPECT_EQ(ids_of(model, "a\u00E9b"), (Ids{3}));  // one of the bytes is missing
}

TEST(BpeModel, CutsTextsWhereNothingJoinsAndGivesTheSameIds) {
  const json model = fallback_model();
  std::string text;
  Ids expected;
  for (int i = 0; i < 100; ++i) {
    text += "abcab\u00E9";
    for (const std::uint32_t id : {5U, 3U, 100U + 0xC3U, 100U + 0xA9U}) expected.push_back(id);
  }
  EXPECT_EQ(ids_of(model, text), expected);
}

TEST(BpeModel, TakesAWholePieceFromTheVocabularyWhereMergesAreIgnored) {
  json model = small_model();
  model["vocab"]["cba"] = 9;
  EXPECT_EQ(ids_of(model, "cba"), (Ids{2, 1, 0}));
  model["ignore_merges"] = true;
  EXPECT_EQ(ids_of(model, "cba"), (Ids{9}));
}

TEST(BpeModel, MarksBeginningsAndEndsOfWords) {
  json model = small_model();
  model["continuing_subword_prefix"] = "##";
  model["end_of_word_suffix"] = "$";
  model["vocab"] = {{"a", 0}, {"##b", 1}, {"##b$", 2}, {"ab$", 3}, {"b$", 4}};
  model["merges"] = {"a ##b$"};
  EXPECT_EQ(ids_of(model, "ab"), (Ids{3}));
  EXPECT_EQ(ids_of(model, "abb"), (Ids{0, 1, 2}));
  EXPECT_EQ(ids_of(model, "b"), (Ids{4}));
}

TEST(BpeModel, SaysWhatIsWrong) {
  json model = small_model();
  model["merges"].push_back("a ?x");
  EXPECT_EQ(why<base::ValidationError>(model),
            "merge number 4 ('a' and '?x') is of tokens that are not in the vocabulary");
  model["merges"] = {"abc"};
  EXPECT_EQ(why<base::ValidationError>(model), "merge number 0 is not a pair of tokens");
  model["merges"] = 1;
  EXPECT_EQ(why<base::ValidationError>(model), "its model has no list of merges");
  model = small_model();
  model["dropout"] = 0.1;
  EXPECT_EQ(why<base::UnsupportedError>(model), "its model has dropout, which is random");
  model = small_model();
  model["vocab"]["a"] = -1;
  EXPECT_EQ(why<base::ValidationError>(model), "token 'a' has no id");
  model["vocab"]["a"] = std::int64_t{1} << 40;
  EXPECT_EQ(why<base::ValidationError>(model), "token 'a' has no id");
  model["vocab"] = 5;
  EXPECT_EQ(why<base::ValidationError>(model), "its vocabulary is not a map from token to id");
  EXPECT_EQ(why<base::ValidationError>(nullptr), "it has no model");
  EXPECT_EQ(why<base::UnsupportedError>({{"type", "Oracle"}}),
            "its model is of the unknown kind 'Oracle'");
}

}  // namespace
}  // namespace lq::testing
