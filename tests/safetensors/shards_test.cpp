#include "common/safetensors/shards.h"

#include <gtest/gtest.h>

namespace lq::safetensors {
namespace {

TensorSpec bytes(const std::string& name, std::int64_t n) {
  return {name, tensor::DType::kU8, {n}};
}

std::vector<std::vector<std::string>> names_of(const std::vector<std::vector<TensorSpec>>& shards) {
  std::vector<std::vector<std::string>> names;
  for (const auto& shard : shards) {
    names.emplace_back();
    for (const TensorSpec& tensor : shard) names.back().push_back(tensor.name);
  }
  return names;
}

TEST(Shards, BeginWhereTheNextTensorWouldPassTheLimit) {
  const auto shards = into_shards({bytes("a", 6), bytes("b", 4), bytes("c", 1)}, 10);
  EXPECT_EQ(names_of(shards), (std::vector<std::vector<std::string>>{{"a", "b"}, {"c"}}));
}

TEST(Shards, LeaveATensorAboveTheLimitAlone) {
  const auto shards = into_shards({bytes("a", 1), bytes("big", 50), bytes("c", 1)}, 10);
  EXPECT_EQ(names_of(shards), (std::vector<std::vector<std::string>>{{"a"}, {"big"}, {"c"}}));
}

TEST(Shards, AreOneForASmallModelAndNoneForNoTensors) {
  EXPECT_EQ(into_shards({bytes("a", 5)}).size(), 1U);
  EXPECT_TRUE(into_shards({}).empty());
}

}  // namespace
}  // namespace lq::safetensors
