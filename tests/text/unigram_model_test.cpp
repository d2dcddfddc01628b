#include "common/text/unigram_model.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

json small_model() {
  return json::parse(R"({"type": "Unigram", "unk_id": 0, "vocab": [
    ["<unk>", 0.0], ["a", -1.0], ["b", -1.5], ["ab", -2.0], ["abc", -9.0], ["c", -3.0]]})");
}

Ids ids_of(const json& model, const std::string& piece) {
  const auto made = text::make_subword_model(PartOf(model.dump(), "model").part);
  text::WordCache cache;
  Ids first, second;
  made->tokenize(piece, cache, first);
  made->tokenize(piece, cache, second);
  EXPECT_EQ(first, second);
  return first;
}

template <class E>
std::string why(const json& model) {
  return error_of<E>([&] { ids_of(model, "z"); }).why();
}

TEST(UnigramModel, TakesTheCutWithTheHighestSum) {
  EXPECT_EQ(ids_of(small_model(), "ab"), (Ids{3}));
  EXPECT_EQ(ids_of(small_model(), "abc"), (Ids{3, 5}));
  EXPECT_EQ(ids_of(small_model(), "ba"), (Ids{2, 1}));
}

TEST(UnigramModel, KeepsTheFirstOfTwoEqualCuts) {
  json model = small_model();
  model["vocab"][3][1] = -2.5;  // as much as a and b: found first, from the place further left
  EXPECT_EQ(ids_of(model, "ab"), (Ids{3}));
}

TEST(UnigramModel, FusesUnknownNeighbours) {
  EXPECT_EQ(ids_of(small_model(), "axyb"), (Ids{1, 0, 2}));
  EXPECT_EQ(ids_of(small_model(), "x\u4E2D"), (Ids{0}));
}

TEST(UnigramModel, FallsBackToBytesWhereItHasAllOfThem) {
  json model = small_model();
  model["byte_fallback"] = true;
  EXPECT_EQ(ids_of(model, "ax"), (Ids{1, 0}));
  model["vocab"].push_back(json::array({"<0x78>", -20.0}));
  EXPECT_EQ(ids_of(model, "axx"), (Ids{1, 6, 6}));
  EXPECT_EQ(ids_of(model, "xy"), (Ids{0}));
}

TEST(UnigramModel, SaysWhatIsWrong) {
  json model = small_model();
  model["unk_id"] = nullptr;
  EXPECT_EQ(why<base::ValidationError>(model),
            "a character is not in its vocabulary, which has no unknown token (unk_id)");
  model["unk_id"] = 6;
  EXPECT_EQ(why<base::ValidationError>(model), "its unk_id is not in the vocabulary");
  model["vocab"][1] = "a";
  EXPECT_EQ(why<base::ValidationError>(model),
            "entry number 1 of its vocabulary is not a token with a score");
  model["vocab"] = json::object();
  EXPECT_EQ(why<base::ValidationError>(model), "its vocabulary is not a list of tokens and scores");
}

}  // namespace
}  // namespace lq::testing
