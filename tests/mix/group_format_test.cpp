#include "common/mix/group_format.h"

#include <gtest/gtest.h>

#include "tests/model/checkpoint_files.h"

namespace lq::testing {
namespace {

using mix::GroupFormat;
using mix::LinearLayer;
using tensor::DType;

constexpr GroupFormat kAwq{.awq = true, .bits = 4, .group_size = 32};
constexpr GroupFormat kGptq{.awq = false, .bits = 4, .group_size = 32};

/// "name dtype AxB bytes" of each tensor, in byte order.
std::vector<std::string> described(const LinearLayer& layer, const GroupFormat& format) {
  std::vector<std::string> lines;
  for (const safetensors::TensorSpec& spec : mix::packed_tensors(layer, format)) {
    std::string shape;
    for (const std::int64_t extent : spec.shape) {
      shape += (shape.empty() ? "" : "x") + std::to_string(extent);
    }
    lines.push_back(spec.name + " " + std::string(tensor::dtype_row(spec.dtype).name) + " " +
                    shape + " " + std::to_string(spec.n_bytes()));
  }
  std::ranges::sort(lines);
  return lines;
}

using Lines = std::vector<std::string>;

TEST(GroupFormat, AwqPacksEightOutputsIntoAWord) {
  EXPECT_EQ(described({"m", 16, 64}, kAwq),
            (Lines{"m.qweight I32 64x2 512", "m.qzeros I32 2x2 16", "m.scales F16 2x16 64"}));
}

TEST(GroupFormat, GptqPacksInputsIntoWordsAndNamesTheirGroups) {
  EXPECT_EQ(described({"m", 16, 64}, kGptq),
            (Lines{"m.g_idx I32 64 256", "m.qweight I32 8x16 512", "m.qzeros I32 2x2 16",
                   "m.scales F16 2x16 64"}));
  EXPECT_EQ(described({"m", 16, 64}, {.bits = 8, .group_size = -1}),
            (Lines{"m.g_idx I32 64 256", "m.qweight I32 16x16 1024", "m.qzeros I32 1x4 16",
                   "m.scales F16 1x16 32"}));
}

TEST(GroupFormat, ThreeBitsPackThirtyTwoCodesIntoThreeWords) {
  EXPECT_EQ(described({"m", 32, 64}, {.bits = 3, .group_size = 64}),
            (Lines{"m.g_idx I32 64 256", "m.qweight I32 6x32 768", "m.qzeros I32 1x3 12",
                   "m.scales F16 1x32 64"}));
}

TEST(GroupFormat, RefusesALayerThatDoesNotFillItsWords) {
  EXPECT_EQ(mix::misfit({"m", 8, 32}, kAwq), "");
  EXPECT_EQ(mix::misfit({"m", 12, 32}, kAwq),
            "12 rows of m are no multiple of 8, which 4-bit codes need to fill words");
  EXPECT_EQ(mix::misfit({"m", 12, 32}, kGptq),
            "12 rows of m are no multiple of 8, which 4-bit codes need to fill words");
  EXPECT_EQ(mix::misfit({"m\x1b", 48, 64}, {.bits = 3, .group_size = 64}),
            "48 rows of m\\x1B are no multiple of 32, which 3-bit codes need to fill words");
  EXPECT_EQ(mix::misfit({"m", 8, 36}, {.bits = 4, .group_size = -1}),
            "36 columns of m are no multiple of 8, which 4-bit codes need to fill words");
  EXPECT_EQ(mix::misfit({"m", 8, 36}, {.bits = 8, .group_size = -1}), "");
  EXPECT_EQ(mix::misfit({"m", 8, 48}, kAwq), "48 columns of m are no multiple of 32");
}

TEST(GroupFormat, IsReadBackFromItsName) {
  for (const GroupFormat& format :
       {kAwq, kGptq, GroupFormat{.bits = 3, .group_size = -1}, GroupFormat{.bits = 8}}) {
    const auto read = mix::parse_group_format(format.name());
    ASSERT_TRUE(read.has_value()) << format.name();
    EXPECT_EQ(read->name(), format.name());
  }
  EXPECT_EQ(mix::parse_group_format("awq")->name(), "AWQ-g128");
  EXPECT_FALSE(mix::parse_group_format("AWQ-3bit").has_value());
  EXPECT_FALSE(mix::parse_group_format("GPTQ-5bit").has_value());
  EXPECT_FALSE(mix::parse_group_format("AWQ-g-1").has_value());
}

TEST(GroupFileSizes, CountPackedLayersAndWhatStaysAsItIs) {
  const ScratchDirectory scratch;
  const model::Checkpoint checkpoint = small_checkpoint(scratch);
  const auto tensors = model::gguf_tensors(checkpoint);
  const auto sizes = mix::group_file_sizes(*checkpoint.weights, tensors, kAwq);
  EXPECT_EQ(sizes.refused, "");
  // A layer of [rows, columns] takes rows*columns/2 bytes of codes, and for each 32 columns rows/2
  // of zeros and rows*2 of scales: q, o 592 each, k, v 296, gate, up, down 1184; twice.
  const std::uint64_t packed = 2 * (2 * 592 + 2 * 296 + 3 * 1184);
  // float32: two matrices of 10*32, five norms of 32.
  const std::uint64_t plain = 4 * (2 * 320 + 5 * 32);
  EXPECT_GT(sizes.file_bytes, packed + plain);
  EXPECT_EQ((sizes.file_bytes - packed - plain) % safetensors::kHeaderAlignment, 0U);
}

TEST(GroupFileSizes, NameTheFirstLayerThatIsRefused) {
  const ScratchDirectory scratch;
  const model::Checkpoint checkpoint = small_checkpoint(scratch);
  const auto tensors = model::gguf_tensors(checkpoint);
  // Two key-value heads of 8 dimensions are 16 rows.
  EXPECT_EQ(
      mix::group_file_sizes(*checkpoint.weights, tensors, {.bits = 3, .group_size = 32}).refused,
      "16 rows of model.layers.0.self_attn.k_proj are no multiple of 32, which 3-bit codes "
      "need to fill words");
}

}  // namespace
}  // namespace lq::testing
