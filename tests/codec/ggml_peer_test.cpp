// Our codecs against llama.cpp's own functions, called in its library.

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "common/codec/codec.h"
#include "tests/support/ggml_library.h"
#include "tests/support/llama_peer.h"

namespace lq::codec {
namespace {

class GgmlPeer : public ::testing::TestWithParam<Codec> {
 protected:
  void SetUp() override {
    ggml_ = testing::GgmlLibrary::open();
    if (ggml_ != nullptr) return;
    if (testing::peers_required()) {
      FAIL() << "LLAMA_PEER_LIB is not set, and LQ_REQUIRE_PEERS=1: run tests/peers/setup.sh";
    }
    GTEST_SKIP()
        << "LLAMA_PEER_LIB is not set: run tests/peers/setup.sh, then . build/peers/env.sh";
  }

  std::uint32_t type() const { return static_cast<std::uint32_t>(GetParam().type); }

  const testing::GgmlLibrary* ggml_ = nullptr;
};

// Normal, heavy-tailed, zero, tiny and denormal rows, each 512 long.
std::vector<float> mixed_rows(std::int64_t n_rows) {
  std::mt19937 random(23);
  std::normal_distribution<float> normal;
  std::student_t_distribution<float> heavy(3.0F);
  const float scales[] = {0.02F, 1.0F, 300.0F, 1e-6F, 1e-39F, 0.0F};
  std::vector<float> x(static_cast<std::size_t>(n_rows) * 512);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t row = i / 512;
    x[i] = scales[row % 6] * (row % 2 == 0 ? normal(random) : heavy(random));
    if (row % 11 == 0) x[i] = std::round(x[i] * 64.0F) / 64.0F;  // ties
  }
  return x;
}

TEST_P(GgmlPeer, RandomBlocksDecodeToTheSameBits) {
  const Codec& row = GetParam();
  if (!row.quantized) return;
  constexpr std::size_t kBlocks = 500;
  std::mt19937 random(17);
  std::vector<std::byte> blocks(kBlocks * row.block_bytes);
  for (auto& byte : blocks) byte = static_cast<std::byte>(random() & 255U);
  std::vector<float> ours(kBlocks * row.block_elems);
  std::vector<float> theirs(ours.size());
  row.decode(blocks.data(), ours.data(), ours.size());
  ggml_->dequantize(type(), blocks.data(), theirs.data(), static_cast<std::int64_t>(ours.size()));
  std::size_t n_finite = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    // A random float16 may be NaN, and products of infinities are; their bits carry no meaning.
    if (std::isnan(theirs[i])) {
      ASSERT_TRUE(std::isnan(ours[i])) << i;
      continue;
    }
    ++n_finite;
    ASSERT_EQ(std::memcmp(&ours[i], &theirs[i], 4), 0) << i << ": " << ours[i] << " " << theirs[i];
  }
  EXPECT_GT(n_finite, ours.size() * 3 / 4);
}

TEST_P(GgmlPeer, PlainRulesGiveTheSameBytes) {
  const Codec& row = GetParam();
  const std::string name(row.name);
  if (name != "F16" && name != "BF16" && name != "Q8_0" && name != "Q4_0" && name != "Q5_0" &&
      name != "Q4_1" && name != "Q5_1") {
    return;
  }
  const std::vector<float> x = mixed_rows(240);
  std::vector<std::byte> ours(row.bytes_for(x.size()));
  std::vector<std::byte> theirs(ours.size());
  row.encode({x.data(), 240, 512, nullptr}, ours.data());
  ggml_->quantize(type(), x.data(), theirs.data(), 240, 512, nullptr);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i], theirs[i]) << "block " << i / row.block_bytes << ", byte "
                                  << i % row.block_bytes;
  }
}

double squared_error(const std::vector<float>& x, const std::vector<float>& decoded,
                     const std::vector<float>& importance) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = double{decoded[i]} - double{x[i]};
    sum += (importance.empty() ? 1.0 : double{importance[i % importance.size()]}) * off * off;
  }
  return sum;
}

TEST_P(GgmlPeer, TheErrorIsNoHigherThanTheirs) {
  const Codec& row = GetParam();
  if (row.encode == nullptr || !row.quantized) return;
  constexpr std::size_t kRows = 24, kColumns = 1024;
  std::mt19937 random(29);
  std::normal_distribution<float> normal;
  std::student_t_distribution<float> heavy(4.0F);
  std::lognormal_distribution<float> spread;
  std::vector<std::pair<std::string, std::vector<float>>> inputs, weights;
  const auto fill = [](std::vector<float> values, auto&& value_at) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = value_at(i);
    return values;
  };
  const std::vector<float> rows(kRows * kColumns), columns(kColumns);
  inputs = {{"normal", fill(rows, [&](std::size_t) { return 0.02F * normal(random); })},
            {"heavy tails", fill(rows, [&](std::size_t) { return 0.02F * heavy(random); })}};
  weights = {
      {"none", {}},
      {"spread", fill(columns, [&](std::size_t) { return spread(random); })},
      // A few channels that outdo all others, as the first layers of real models have them.
      {"eight heavy columns",
       fill(columns, [](std::size_t i) { return i % 128 == 17 ? 1000.0F : 1.0F; })},
      {"one column above all", fill(columns, [](std::size_t i) { return i == 90 ? 1e6F : 1.0F; })}};
  std::vector<std::byte> blocks(row.bytes_for(rows.size()));
  std::vector<float> decoded(rows.size());
  for (const auto& [input, x] : inputs) {
    for (const auto& [weighting, importance] : weights) {
      const float* const w = importance.empty() ? nullptr : importance.data();
      row.encode({x.data(), kRows, kColumns, w}, blocks.data());
      row.decode(blocks.data(), decoded.data(), decoded.size());
      const double ours = squared_error(x, decoded, importance);
      ggml_->quantize(type(), x.data(), blocks.data(), kRows, kColumns, w);
      row.decode(blocks.data(), decoded.data(), decoded.size());
      EXPECT_LE(ours, squared_error(x, decoded, importance)) << input << ", " << weighting;
    }
  }
}

TEST_P(GgmlPeer, RowBytesAgree) {
  EXPECT_EQ(ggml_->row_bytes(type(), 512), GetParam().bytes_for(512));
}

std::vector<Codec> readable() {
  std::vector<Codec> rows;
  for (const Codec& row : codecs()) {
    if (row.decode != nullptr) rows.push_back(row);
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Table, GgmlPeer, ::testing::ValuesIn(readable()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace lq::codec
