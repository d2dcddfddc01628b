#include "common/text/string_index.h"

#include <gtest/gtest.h>

#include "common/text/pair_index.h"
#include "common/text/word_cache.h"

namespace lq::testing {
namespace {

TEST(StringIndex, FindsWhatWasInsertedAndNothingElse) {
  text::StringIndex index;
  EXPECT_FALSE(index.find("a").has_value());
  for (std::uint32_t i = 0; i < 5000; ++i) index.insert("key" + std::to_string(i), i);
  for (std::uint32_t i = 0; i < 5000; ++i) EXPECT_EQ(index.find("key" + std::to_string(i)), i);
  EXPECT_FALSE(index.find("key5000").has_value());
  EXPECT_EQ(index.size(), 5000);
}

TEST(StringIndex, GivesAStringTheNewestNumber) {
  text::StringIndex index;
  index.insert("", 1);
  index.insert("", 2);
  EXPECT_EQ(index.find(""), 2);
  EXPECT_EQ(index.size(), 1);
  index.clear();
  EXPECT_FALSE(index.find("").has_value());
}

TEST(PairIndex, FindsWhatWasInsertedAndNothingElse) {
  text::PairIndex<int> index;
  EXPECT_EQ(index.find(1, 2), nullptr);
  for (std::uint32_t i = 0; i < 5000; ++i) index.at(i, i / 3) = static_cast<int>(i);
  for (std::uint32_t i = 0; i < 5000; ++i) EXPECT_EQ(*index.find(i, i / 3), static_cast<int>(i));
  EXPECT_EQ(index.find(3, 0), nullptr);
}

TEST(WordCache, KeepsIdsUntilItIsFull) {
  text::WordCache cache;
  const std::vector<std::uint32_t> ids = {1, 2, 3};
  cache.insert("word", ids);
  const auto found = cache.find("word");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(std::vector(found->begin(), found->end()), ids);
  for (std::uint32_t i = 0; i < 70000; ++i) cache.insert(std::to_string(i), ids);
  EXPECT_FALSE(cache.find("word").has_value());
  EXPECT_TRUE(cache.find("69999").has_value());
}

TEST(WordCache, KeepsNoLongWord) {
  text::WordCache cache;
  const std::string word(text::WordCache::kLongestWord + 1, 'a');
  cache.insert(word, std::vector<std::uint32_t>{1});
  EXPECT_FALSE(cache.find(word).has_value());
}

}  // namespace
}  // namespace lq::testing
