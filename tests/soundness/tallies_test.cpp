#include "common/soundness/tallies.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

#include "common/hf/bit_packing.h"

namespace lq::soundness {
namespace {

std::span<const std::byte> bytes_of(const std::vector<std::uint32_t>& words) {
  return std::as_bytes(std::span(words));
}

std::vector<std::uint8_t> random_codes(std::size_t n, int bits) {
  std::mt19937 random(7);
  std::vector<std::uint8_t> codes(n);
  for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(random() % (1U << bits));
  codes[0] = 0;
  return codes;
}

CodeCounts counted(const std::vector<std::uint8_t>& codes) {
  CodeCounts counts;
  for (const std::uint8_t code : codes) ++counts.count[code];
  return counts;
}

TEST(PackedTally, CountsEveryCode) {
  for (const int bits : {2, 4, 8}) {
    const auto codes = random_codes(640, bits);
    PackedTally tally(bits, 1);
    tally.look(0, bytes_of(hf::pack(codes, 10, 64, bits)));
    EXPECT_EQ(tally.counts().count, counted(codes).count) << bits;
  }
}

TEST(PackedTally, TakesTheSameWordsHoweverTheyAreCut) {
  const std::vector<std::uint32_t> words = hf::pack(random_codes(8000, 4), 1, 8000, 4);
  PackedTally whole(4, 8), cut(4, 8);
  whole.look(0, bytes_of(words));
  cut.look(0, bytes_of(words).first(52));
  cut.look(52, bytes_of(words).subspan(52));
  EXPECT_EQ(whole.counts().count, cut.counts().count);
  EXPECT_EQ(whole.counts().n(), 1000u);
}

TEST(DenseTally, CountsCodesAlongRowsAndAcrossThem) {
  constexpr std::size_t kRows = 5, kColumns = 96;
  const auto codes = random_codes(kRows * kColumns, 3);
  const auto words = hf::pack(codes, kRows, kColumns, 3);
  DenseTally along(1, 1);
  along.look(0, bytes_of(words));
  EXPECT_EQ(along.counts().count, counted(codes).count);
  DenseTally across(kRows, 1);
  across.look(0, bytes_of(hf::transposed(words, kRows, kColumns * 3 / 32)));
  EXPECT_EQ(across.counts().count, counted(codes).count);
}

TEST(CodeCounts, KnowTheirOnlyCodeTheirMeanAndTheirEnds) {
  CodeCounts counts;
  EXPECT_EQ(counts.only(), -1);
  counts.count[8] = 5;
  EXPECT_EQ(counts.only(), 8);
  counts.count[15] = 5;
  counts.count[0] = 2;
  EXPECT_EQ(counts.only(), -1);
  EXPECT_EQ(counts.of_ends(15), 7u);
  EXPECT_DOUBLE_EQ(counts.mean(), (5 * 8 + 5 * 15) / 12.0);
}

TEST(Magnitudes, TellKindsOfNumbersApart) {
  const std::vector<float> values = {1, 0, -0.0F, INFINITY, NAN, 3, 1e-6F};
  Magnitudes magnitudes;
  magnitudes.add(10, values, 127 - 14);
  EXPECT_EQ(magnitudes.n, 7u);
  EXPECT_EQ(magnitudes.n_zero, 2u);
  EXPECT_EQ(magnitudes.n_nan, 1u);
  EXPECT_EQ(magnitudes.n_infinite, 1u);
  EXPECT_EQ(magnitudes.n_subnormal, 1u);
  EXPECT_EQ(magnitudes.first_zero, 11u);
  EXPECT_EQ(magnitudes.first_bad, 13u);
}

TEST(Magnitudes, SeeWhatStandsAloneAboveTheOthers) {
  Magnitudes magnitudes;
  magnitudes.add(0, std::vector<float>(2000, 1.5F), 1);
  EXPECT_EQ(magnitudes.outlying_exponents(), 0);
  magnitudes.add(2000, std::vector<float>{1024, 1025}, 1);
  EXPECT_EQ(magnitudes.outlying_exponents(), 10);
  magnitudes.add(2002, std::vector<float>{1026}, 1);
  EXPECT_EQ(magnitudes.outlying_exponents(), 0);  // no longer one in a thousand
}

TEST(SpreadTally, MeasuresCodesOfAnOutputInAGroup) {
  // Two groups of two inputs, eight outputs: output i has the codes i and 0, then i and i.
  const std::vector<std::uint32_t> words = {0x76543210, 0, 0x76543210, 0x76543210};
  SpreadTally tally(1, 2, 2);
  tally.look(0, bytes_of(words));
  const std::vector<double> spreads = tally.log_deviations();
  ASSERT_EQ(spreads.size(), 16u);
  EXPECT_NEAR(spreads[6], std::log(3.0), 1e-3);
  EXPECT_NEAR(spreads[8 + 6], 0.5 * std::log(1e-3), 1e-6);
}

}  // namespace
}  // namespace lq::soundness
