#include "common/net/shard_index.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

using lq::testing::error_of;

std::string index_problem(const std::string& text) {
  return error_of<base::ValidationError>([&] { shards_of_index(text, ""); }).why();
}

std::string index_of(const std::string& file) {
  return R"({"weight_map":{"t":)" + nlohmann::json(file).dump() + "}}";
}

TEST(ShardsOfIndex, AreThePathsFromTheRoot) {
  const std::string text =
      R"({"metadata":{"total_size":1,"x":{"y":[1]}},
          "weight_map":{"t":"b.safetensors","u":"a.safetensors","v":"b.safetensors"}})";
  EXPECT_EQ(shards_of_index(text, ""), (std::set<std::string>{"a.safetensors", "b.safetensors"}));
  EXPECT_EQ(shards_of_index(text, "sub"),
            (std::set<std::string>{"sub/a.safetensors", "sub/b.safetensors"}));
}

TEST(ShardsOfIndex, TheMapIsAnObjectOfStringsAndNotEmpty) {
  EXPECT_EQ(index_problem("[]"), "it does not start with `{`");
  EXPECT_EQ(index_problem(R"({"weight_map":)"), "it is not valid JSON at byte 15");
  EXPECT_EQ(index_problem("{}"), "it has no `weight_map`");
  EXPECT_EQ(index_problem(R"({"weight_map":{}})"), "its `weight_map` is empty");
  EXPECT_EQ(index_problem(R"({"weight_map":["a.safetensors"]})"), "its `weight_map` is no object");
  EXPECT_EQ(index_problem(R"({"weight_map":"x"})"), "its `weight_map` is no object");
  for (const char* value : {"7", "null", "[]", R"({"x":"a.safetensors"})"}) {
    EXPECT_EQ(index_problem(std::string(R"({"weight_map":{"t\n":)") + value + "}}"),
              "its `weight_map` gives no file name for tensor `t\\x0A`")
        << value;
  }
}

TEST(ShardsOfIndex, NamesAreSafePathsOfSafetensors) {
  EXPECT_EQ(index_problem(index_of("../a.safetensors")),
            "the file `../a.safetensors` of tensor `t` has the segment `..`");
  EXPECT_EQ(index_problem(index_of("/a.safetensors")),
            "the file `/a.safetensors` of tensor `t` is absolute");
  EXPECT_EQ(index_problem(index_of("")), "the file `` of tensor `t` is empty");
  EXPECT_EQ(index_problem(index_of("pytorch_model.bin")),
            "the file `pytorch_model.bin` of tensor `t` is no .safetensors file");
  EXPECT_EQ(index_problem(index_of("a\x1B.safetensors")),
            "the file `a\\x1B.safetensors` of tensor `t` has control characters or invalid UTF-8");
  const auto in_folder = [](const std::string& name) {
    return error_of<base::ValidationError>([&] { shards_of_index(index_of(name), "sub"); }).why();
  };
  EXPECT_EQ(in_folder("/a.safetensors"), "the file `/a.safetensors` of tensor `t` is absolute");
  EXPECT_EQ(in_folder("../a.safetensors"),
            "the file `../a.safetensors` of tensor `t` has the segment `..`");
}

TEST(ShardsOfIndex, TheMessageNamesTheIndex) {
  const auto error = error_of<base::ValidationError>([] { shards_of_index("{}", "a\n"); });
  EXPECT_STREQ(error.what(), "cannot read a\\x0A/model.safetensors.index.json");
  EXPECT_FALSE(error.fix().empty());
}

}  // namespace
}  // namespace lq::net
