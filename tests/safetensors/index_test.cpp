#include "common/safetensors/index.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::safetensors {
namespace {

class IndexTest : public ::testing::Test {
 protected:
  Index read(const std::string& text) {
    return read_index(scratch_.write(std::string(kIndexName), text));
  }
  std::string why(const std::string& text) {
    return testing::error_of<base::ValidationError>([&] { read(text); }).why();
  }

  testing::ScratchDirectory scratch_;
};

TEST_F(IndexTest, HasTheMapTheFilesAndTheTotalSize) {
  const Index index = read(R"({"metadata":{"total_size":12,"x":[1]},"weight_map":{
      "b":"model-00002-of-00002.safetensors","a":"model-00001-of-00002.safetensors",
      "c":"model-00002-of-00002.safetensors"},"more":null})");
  ASSERT_EQ(index.weight_map.size(), 3U);
  EXPECT_EQ(index.weight_map[0].first, "b");
  EXPECT_EQ(index.total_size, 12U);
  EXPECT_EQ(index.files(), (std::vector<std::string>{"model-00001-of-00002.safetensors",
                                                     "model-00002-of-00002.safetensors"}));
  EXPECT_TRUE(index.warnings.empty());
}

TEST_F(IndexTest, RejectsAMapThatIsNone) {
  EXPECT_EQ(why("{}"), "it has no `weight_map`");
  EXPECT_EQ(why(R"({"weight_map":{}})"), "its `weight_map` is empty");
  EXPECT_EQ(why(R"({"weight_map":[]})"), "its `weight_map` is not an object");
  EXPECT_EQ(why(R"({"weight_map":{"a":1}})"), "its `weight_map` gives no file name for tensor `a`");
  EXPECT_EQ(why(R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})"),
            "the key `a` appears twice");
  EXPECT_EQ(why("[1]"), "it does not start with `{`");
  EXPECT_EQ(why(R"({"weight_map":)"), "it is not valid JSON at byte 15");
}

TEST_F(IndexTest, RejectsFilesThatLeadElsewhere) {
  EXPECT_EQ(why(R"({"weight_map":{"a":"../x.safetensors"}})"),
            "the file `../x.safetensors` named for tensor `a` has the segment `..`");
  EXPECT_EQ(why(R"({"weight_map":{"a":"/x.safetensors"}})"),
            "the file `/x.safetensors` named for tensor `a` is absolute");
  EXPECT_EQ(why(R"({"weight_map":{"a":"pytorch_model.bin"}})"),
            "the file `pytorch_model.bin` named for tensor `a` is no .safetensors file");
}

TEST_F(IndexTest, WarnsOfASizeThatIsNoNumber) {
  const Index index = read(R"({"metadata":{"total_size":1.5},"weight_map":{"a":"x.safetensors"}})");
  EXPECT_FALSE(index.total_size.has_value());
  ASSERT_EQ(index.warnings.size(), 1U);
  EXPECT_EQ(index.warnings[0], "the index has a `total_size` that is no whole number");
}

TEST_F(IndexTest, WarnsOfNamesThatAreNotNumbered) {
  for (const char* second : {"model-00003-of-00003.safetensors", "other.safetensors",
                             "model-00002-of-0002.safetensors"}) {
    const Index index = read(R"({"weight_map":{"a":"model-00001-of-00002.safetensors","b":")" +
                             std::string(second) + "\"}}");
    ASSERT_EQ(index.warnings.size(), 1U) << second;
    EXPECT_EQ(index.warnings[0], "the index names 2 files, and `" + std::string(second) +
                                     "` is not numbered as one of them");
  }
}

TEST_F(IndexTest, AMissingIndexIsNotFound) {
  testing::error_of<base::ModelNotFoundError>([&] { read_index(scratch_.path() / "none"); });
}

}  // namespace
}  // namespace lq::safetensors
