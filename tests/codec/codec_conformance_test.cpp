// Walks the codec table: every row is held to its geometry, to golden files of llama.cpp's encoder
// and decoder (tests/data/gguf-codecs: 4 rows of 512), to error bands and to the grid's round trip.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/codec/codec.h"
#include "common/kernels/target.h"

namespace lq::codec {
namespace {

template <class T>
std::vector<T> read_golden(const std::string& name) {
  std::ifstream file(std::string(LQ_TEST_DATA) + "/gguf-codecs/" + name, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

struct Golden {
  std::vector<float> x = read_golden<float>("x.f32");
  std::vector<float> w = read_golden<float>("w.f32");
};

double squared_error(const std::vector<float>& x, const std::vector<float>& y, const float* w) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = double{x[i]} - double{y[i]};
    sum += (w == nullptr ? 1.0 : double{w[i % 512]}) * off * off;
  }
  return sum;
}

class EveryCodec : public ::testing::TestWithParam<Codec> {};

TEST_P(EveryCodec, IsFoundByIdAndByNameInAnyCase) {
  const Codec& row = GetParam();
  EXPECT_EQ(&codec(row.type), find_codec(static_cast<std::uint32_t>(row.type)));
  std::string lower(row.name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return static_cast<char>(std::tolower(c)); });
  EXPECT_EQ(find_codec(lower), &codec(row.type));
}

TEST_P(EveryCodec, DecodesTheGoldenBlocksExactly) {
  const Codec& row = GetParam();
  for (const char* kind : {".none", ".imp"}) {
    const auto blocks = read_golden<std::byte>(std::string(row.name) + kind + ".bin");
    const auto expected = read_golden<float>(std::string(row.name) + kind + ".f32");
    if (blocks.empty()) continue;
    ASSERT_EQ(expected.size(), 2048U);
    ASSERT_EQ(blocks.size(), row.bytes_for(expected.size()));
    std::vector<float> decoded(expected.size());
    row.decode(blocks.data(), decoded.data(), decoded.size());
    EXPECT_EQ(std::memcmp(decoded.data(), expected.data(), 4 * expected.size()), 0) << kind;
  }
}

TEST_P(EveryCodec, PacksItsOwnGridAndCodesToTheSameBytes) {
  const Codec& row = GetParam();
  if (row.grid == nullptr) return;
  std::vector<std::byte> block(row.block_bytes);
  for (const char* kind : {".none", ".imp"}) {
    const auto blocks = read_golden<std::byte>(std::string(row.name) + kind + ".bin");
    ASSERT_FALSE(blocks.empty());
    for (std::size_t at = 0; at < blocks.size(); at += row.block_bytes) {
      tensor::BlockGrid grid;
      std::vector<std::uint8_t> codes(row.block_elems);
      row.grid(blocks.data() + at, grid);
      row.codes(blocks.data() + at, codes);
      EXPECT_EQ(static_cast<std::uint32_t>(grid.block_elems), row.block_elems);
      EXPECT_LE(*std::ranges::max_element(codes), grid.max_code);
      row.pack(grid, codes, block.data());
      EXPECT_TRUE(
          std::equal(block.begin(), block.end(), blocks.begin() + static_cast<std::ptrdiff_t>(at)));
    }
  }
}

TEST_P(EveryCodec, DecodesToTheValuesOfItsGrid) {
  const Codec& row = GetParam();
  if (row.grid == nullptr) return;
  const auto blocks = read_golden<std::byte>(std::string(row.name) + ".imp.bin");
  std::vector<float> decoded(row.block_elems);
  std::vector<std::uint8_t> codes(row.block_elems);
  for (std::size_t at = 0; at < blocks.size(); at += row.block_bytes) {
    tensor::BlockGrid grid;
    row.grid(blocks.data() + at, grid);
    row.codes(blocks.data() + at, codes);
    row.decode(blocks.data() + at, decoded.data(), decoded.size());
    for (std::size_t i = 0; i < decoded.size(); ++i) {
      const int s = static_cast<int>(i) / grid.sub_elems;
      const float value = grid.scale(s) * static_cast<float>(codes[i]) - grid.offset(s);
      EXPECT_NEAR(value, decoded[i], 1e-5F * (std::fabs(grid.offset(s)) + std::fabs(value)));
    }
  }
}

TEST_P(EveryCodec, EncodesWithNoMoreErrorThanThePeerAndNotUnbelievablyLess) {
  const Codec& row = GetParam();
  if (row.encode == nullptr || !row.quantized) return;
  const Golden golden;
  for (const bool weighted : {false, true}) {
    const float* const w = weighted ? golden.w.data() : nullptr;
    const std::string kind = weighted ? ".imp" : ".none";
    std::vector<std::byte> blocks(row.bytes_for(golden.x.size()));
    std::vector<float> decoded(golden.x.size());
    row.encode({golden.x.data(), 4, 512, w}, blocks.data());
    row.decode(blocks.data(), decoded.data(), decoded.size());
    const double ours = squared_error(golden.x, decoded, w);
    const double theirs =
        squared_error(golden.x, read_golden<float>(std::string(row.name) + kind + ".f32"), w);
    EXPECT_LE(ours, 1.001 * theirs) << kind;
    EXPECT_GE(ours, 0.6 * theirs) << kind;
  }
}

TEST_P(EveryCodec, GivesThePeersBytesWhereTheRuleIsPlain) {
  static const std::set<std::string_view> kPlain = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"};
  const Codec& row = GetParam();
  if (!kPlain.contains(row.name)) return;
  const Golden golden;
  std::vector<std::byte> blocks(row.bytes_for(golden.x.size()));
  row.encode({golden.x.data(), 4, 512, nullptr}, blocks.data());
  EXPECT_EQ(blocks, read_golden<std::byte>(std::string(row.name) + ".none.bin"));
  if (row.type != QuantType::kQ8_0) return;
  row.encode({golden.x.data(), 4, 512, golden.w.data()}, blocks.data());
  EXPECT_EQ(blocks, read_golden<std::byte>("Q8_0.none.bin"));
}

TEST_P(EveryCodec, GivesTheSameBytesHoweverRowsAreCutAndOnTheReference) {
  const Codec& row = GetParam();
  if (row.encode == nullptr) return;
  const Golden golden;
  for (const float* w : {static_cast<const float*>(nullptr), golden.w.data()}) {
    std::vector<std::byte> whole(row.bytes_for(golden.x.size()));
    row.encode({golden.x.data(), 4, 512, w}, whole.data());
    std::vector<std::byte> cut(whole.size());
    const std::size_t row_bytes = row.bytes_for(512);
    row.encode({golden.x.data(), 1, 512, w}, cut.data());
    row.encode({golden.x.data() + 512, 3, 512, w}, cut.data() + row_bytes);
    EXPECT_EQ(whole, cut);
    kernels::choose_target("scalar");
    std::vector<std::byte> reference(whole.size());
    row.encode({golden.x.data(), 4, 512, w}, reference.data());
    kernels::choose_target("");
    EXPECT_EQ(whole, reference);
  }
}

TEST_P(EveryCodec, WritesFiniteValuesForDifficultRows) {
  const Codec& row = GetParam();
  if (row.encode == nullptr) return;
  std::map<std::string, std::vector<float>> rows;
  rows["zeros"].assign(256, 0.0F);
  rows["flat"].assign(256, -0.125F);
  rows["denormal"].assign(256, 1e-41F);
  rows["tiny"].assign(256, -3e-9F);
  rows["large"].assign(256, 6e4F);
  rows["outlier"].assign(256, 1e-3F);
  rows["outlier"][200] = -500.0F;
  const std::vector<float> w(256, 1e-30F);
  for (const auto& [name, x] : rows) {
    for (const float* importance : {static_cast<const float*>(nullptr), w.data()}) {
      std::vector<std::byte> blocks(row.bytes_for(256));
      std::vector<float> decoded(256);
      row.encode({x.data(), 1, 256, importance}, blocks.data());
      row.decode(blocks.data(), decoded.data(), 256);
      double peak = 0;
      for (const float value : x) peak = std::max(peak, std::fabs(double{value}));
      for (std::size_t i = 0; i < 256; ++i) {
        ASSERT_TRUE(std::isfinite(decoded[i])) << name;
        EXPECT_LE(std::fabs(decoded[i] - x[i]), 0.3 * peak + 1e-6) << name << " " << i;
      }
    }
  }
}

std::vector<Codec> readable() {
  std::vector<Codec> rows;
  for (const Codec& row : codecs()) {
    if (row.decode != nullptr) rows.push_back(row);
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Table, EveryCodec, ::testing::ValuesIn(readable()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(CodecTable, HasTheGeometryOfTheFormat) {
  const std::map<std::string_view, std::pair<std::uint32_t, std::uint32_t>> geometry = {
      {"F32", {1, 4}},        {"F16", {1, 2}},        {"Q4_0", {32, 18}},     {"Q4_1", {32, 20}},
      {"Q5_0", {32, 22}},     {"Q5_1", {32, 24}},     {"Q8_0", {32, 34}},     {"Q8_1", {32, 36}},
      {"Q2_K", {256, 84}},    {"Q3_K", {256, 110}},   {"Q4_K", {256, 144}},   {"Q5_K", {256, 176}},
      {"Q6_K", {256, 210}},   {"Q8_K", {256, 292}},   {"IQ2_XXS", {256, 66}}, {"IQ2_XS", {256, 74}},
      {"IQ3_XXS", {256, 98}}, {"IQ1_S", {256, 50}},   {"IQ4_NL", {32, 18}},   {"IQ3_S", {256, 110}},
      {"IQ2_S", {256, 82}},   {"IQ4_XS", {256, 136}}, {"I8", {1, 1}},         {"I16", {1, 2}},
      {"I32", {1, 4}},        {"I64", {1, 8}},        {"F64", {1, 8}},        {"IQ1_M", {256, 56}},
      {"BF16", {1, 2}},       {"TQ1_0", {256, 54}},   {"TQ2_0", {256, 66}},   {"MXFP4", {32, 17}},
      {"NVFP4", {64, 36}},    {"Q1_0", {128, 18}},    {"Q2_0", {64, 18}}};
  EXPECT_EQ(codecs().size(), geometry.size());
  for (const Codec& row : codecs()) {
    ASSERT_TRUE(geometry.contains(row.name)) << row.name;
    EXPECT_EQ(row.block_elems, geometry.at(row.name).first) << row.name;
    EXPECT_EQ(row.block_bytes, geometry.at(row.name).second) << row.name;
  }
}

TEST(CodecTable, DoesNotKnowRemovedOrForeignTypes) {
  for (const std::uint32_t id : {4U, 5U, 31U, 33U, 36U, 38U, 43U, 1000U}) {
    EXPECT_EQ(find_codec(id), nullptr) << id;
  }
  EXPECT_EQ(find_codec("Q4_K_M"), nullptr);
  EXPECT_EQ(find_codec(""), nullptr);
}

TEST(CodecTable, RunTimeFormatsAreNeitherReadNorWritten) {
  for (const QuantType type : {QuantType::kQ8_1, QuantType::kQ8K}) {
    EXPECT_EQ(codec(type).decode, nullptr);
    EXPECT_EQ(codec(type).encode, nullptr);
  }
}

}  // namespace
}  // namespace lq::codec
