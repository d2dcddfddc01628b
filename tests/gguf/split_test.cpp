#include "common/gguf/split.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::gguf {
namespace {

TEST(GgufSplit, NamesCountFromOne) {
  EXPECT_EQ(split_name("model", 0, 3), "model-00001-of-00003.gguf");
  EXPECT_EQ(split_name("model.gguf", 2, 3), "model-00003-of-00003.gguf");
}

TEST(GgufSplit, TheStemComesBackFromItsOwnNameOnly) {
  const SplitKeys keys = {.number = 1, .count = 3};
  EXPECT_EQ(split_stem("a-b-00002-of-00003.gguf", keys), "a-b");
  EXPECT_EQ(split_stem("a-00001-of-00003.gguf", keys), std::nullopt);
  EXPECT_EQ(split_stem("a-00002-of-00004.gguf", keys), std::nullopt);
  EXPECT_EQ(split_stem("-00002-of-00003.gguf", keys), std::nullopt);
}

TEST(GgufSplit, KeysAreCheckedForTypeAndSense) {
  Metadata metadata;
  EXPECT_FALSE(split_keys(metadata, "subject").has_value());
  const auto why = [&] {
    return testing::error_of<base::ValidationError>([&] { split_keys(metadata, "subject"); }).why();
  };
  metadata.set("split.count", std::uint32_t{2});
  EXPECT_EQ(why(), "split.count is not of type uint16");
  metadata.set("split.count", std::uint16_t{2});
  EXPECT_EQ(why(), "split.no is missing or not of type uint16");
  metadata.set("split.no", std::uint16_t{2});
  EXPECT_EQ(why(), "split.tensors.count is missing or not of type int32");
  metadata.set("split.tensors.count", std::int32_t{9});
  EXPECT_EQ(why(), "split.no is 2, but split.count is 2");
  metadata.set("split.no", std::uint16_t{1});
  EXPECT_EQ(split_keys(metadata, "subject")->n_tensors, 9);
}

}  // namespace
}  // namespace lq::gguf
