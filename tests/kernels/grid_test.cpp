#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "common/kernels/grid_choice_detail.h"
#include "common/kernels/grid_columns_detail.h"
#include "common/tensor/convert.h"
#include "tests/kernels/targets.h"

namespace lq::kernels {
namespace {

constexpr std::size_t kN = 48, kColumns = 20;

std::vector<float> normals(std::size_t n, unsigned seed, float size = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, size);
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}
std::vector<float> positives(std::size_t n, unsigned seed) {
  std::vector<float> values = normals(n, seed);
  for (float& value : values) value = std::exp(value);
  return values;
}
std::vector<std::uint8_t> codes(std::size_t n, int max_code) {
  std::mt19937 random(5);
  std::vector<std::uint8_t> values(n);
  for (auto& value : values) {
    value = static_cast<std::uint8_t>(random() % static_cast<unsigned>(max_code + 1));
  }
  return values;
}

/// Grids of either sign, with zeros all over the range.
struct Grids {
  std::vector<float> scale = normals(kN, 8, 0.1F), zero;
  float max_code;

  explicit Grids(int max) : max_code(static_cast<float>(max)) {
    for (const std::uint8_t code : codes(kN, max)) zero.push_back(code);
  }
  RowGrids view() const { return {scale.data(), zero.data(), max_code}; }
};

TEST(GridColumns, WeightedSumsAreThoseOfTheReferenceToTheBit) {
  const auto columns = normals(kColumns * 64, 1), weights = normals(kColumns, 2);
  auto expected = normals(kN, 3);
  const auto start = expected;
  detail::add_weighted_columns_reference(columns.data(), 64, weights.data(), kColumns,
                                         expected.data(), kN);
  float by_hand = start[5];
  for (std::size_t i = 0; i < kColumns; ++i) by_hand += weights[i] * columns[i * 64 + 5];
  EXPECT_EQ(expected[5], by_hand);
  testing::on_every_target([&] {
    auto sum = start;
    add_weighted_columns(columns.data(), 64, weights.data(), kColumns, sum.data(), kN);
    EXPECT_EQ(sum, expected);
  });
}

TEST(GridColumns, RoundingTakesTheNearestCodeWithinTheGrid) {
  const std::array<float, 16> target = {0, 0.26F, -0.26F, 9, -9, 0.25F, 0.75F};
  std::array<float, 16> scale, zero, values;
  scale.fill(0.5F);
  zero.fill(8);
  std::array<std::uint8_t, 16> q;
  round_to_grid(target.data(), {scale.data(), zero.data(), 15}, q.data(), values.data(), 16);
  const std::array<int, 7> expected = {8, 9, 7, 15, 0, 8, 10};  // ties to even
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(q[i], expected[i]) << i;
    EXPECT_EQ(values[i], 0.5F * static_cast<float>(expected[i] - 8)) << i;
  }
}

TEST(GridColumns, RoundingIsThatOfTheReferenceToTheBit) {
  for (const int max_code : {3, 15, 255}) {
    const Grids grids(max_code);
    const auto target = normals(kN, 4);
    std::vector<std::uint8_t> expected(kN), q(kN);
    std::vector<float> expected_values(kN), values(kN);
    detail::round_to_grid_reference(target.data(), grids.view(), expected.data(),
                                    expected_values.data(), kN);
    testing::on_every_target([&] {
      round_to_grid(target.data(), grids.view(), q.data(), values.data(), kN);
      EXPECT_EQ(q, expected);
      EXPECT_EQ(values, expected_values);
    });
  }
}

struct Descent {
  std::vector<std::uint8_t> q = codes(kN, 15);
  std::vector<float> error = normals(kN, 6), change = error;

  DescentColumn view(const std::vector<float>& weight, const std::vector<float>& gradient) {
    return {weight.data(), gradient.data(), 2.5F, q.data(), error.data(), change.data()};
  }
  bool operator==(const Descent&) const = default;
};

TEST(GridColumns, DescentIsThatOfTheReferenceToTheBit) {
  const Grids grids(15);
  const auto weight = normals(kN, 4), gradient = normals(kN, 9);
  Descent expected;
  detail::descend_column_reference(expected.view(weight, gradient), grids.view(), kN);
  testing::on_every_target([&] {
    Descent own;
    descend_column(own.view(weight, gradient), grids.view(), kN);
    EXPECT_EQ(own, expected);
  });
}

TEST(GridColumns, DescentGoesToTheLeastOfTheQuadratic) {
  // One weight of 1 at code 8 (value 0): E = 1, H = 2, so g = 2 and E H E = 2.
  std::array<float, 16> weight, gradient, scale, zero, error, change{};
  std::array<std::uint8_t, 16> q;
  weight.fill(1);
  gradient.fill(2);
  scale.fill(0.75F);
  zero.fill(8);
  error.fill(1);
  q.fill(8);
  descend_column({weight.data(), gradient.data(), 2, q.data(), error.data(), change.data()},
                 {scale.data(), zero.data(), 15}, 16);
  EXPECT_EQ(q[0], 9);
  EXPECT_EQ(error[0], 0.25F);
  EXPECT_EQ(change[0], -0.75F);
}

struct Sums {
  std::vector<float> values = normals(4 * kN, 11);

  GroupSums view() {
    return {values.data(), values.data() + kN, values.data() + 2 * kN, values.data() + 3 * kN};
  }
};

TEST(GridColumns, GroupSumsAreThoseOfTheReferenceToTheBit) {
  const auto q = normals(kN, 1), g = normals(kN, 2), qh = normals(kN, 3);
  Sums expected;
  detail::add_group_sums_reference(q.data(), g.data(), qh.data(), 1.5F, expected.view(), kN);
  testing::on_every_target([&] {
    Sums own;
    add_group_sums(q.data(), g.data(), qh.data(), 1.5F, own.view(), kN);
    EXPECT_EQ(own.values, expected.values);
  });
}

struct Regridding {
  std::vector<float> error = normals(kN, 2), change = normals(kN, 3), gradient = normals(kN, 4);

  RegriddedColumn view(const std::vector<float>& weight, const std::vector<float>& q,
                       const std::vector<float>& qh) {
    return {weight.data(), q.data(),       8, qh.data(), 0.7F, error.data(),
            change.data(), gradient.data()};
  }
  bool operator==(const Regridding&) const = default;
};

TEST(GridColumns, RegriddingIsThatOfTheReferenceToTheBit) {
  const Grids old_grids(15);
  Grids new_grids(15);
  new_grids.scale = normals(kN, 13);
  const auto weight = normals(kN, 5), q = normals(kN, 6), qh = normals(kN, 7);
  Regridding expected;
  detail::regrid_column_reference(expected.view(weight, q, qh), old_grids.view(), new_grids.view(),
                                  kN);
  testing::on_every_target([&] {
    Regridding own;
    regrid_column(own.view(weight, q, qh), old_grids.view(), new_grids.view(), kN);
    EXPECT_EQ(own, expected);
  });
}

const std::vector<GridRules>& all_rules() {
  static const std::vector<GridRules> kRules = {
      {},
      {.negative_scales = false},
      {.symmetric = false},
      {.max_code = 7, .symmetric = false, .lowest_zero = 1},
      {.max_code = 3, .scale_type = tensor::DType::kBF16},
      {.max_code = 255, .symmetric = false},
  };
  return kRules;
}

TEST(GridChoice, SearchIsThatOfTheReferenceToTheBit) {
  auto w = normals(kColumns * kN, 1, 0.02F);
  for (std::size_t j = 0; j < kColumns; ++j) {
    w[j * kN] = 0;                            // a row of zeros
    w[j * kN + 1] *= 1e-6F;                   // scales that are subnormal
    w[j * kN + 2] = std::abs(w[j * kN + 2]);  // of one sign
    w[j * kN + 3] *= 1e5F;
  }
  const auto importance = positives(kColumns, 2);
  for (const GridRules& rules : all_rules()) {
    for (const RangeSearch& search : {RangeSearch{}, RangeSearch{.n_steps = 0, .n_polish = 0}}) {
      std::vector<float> expected_scale(kN), expected_zero(kN), scale(kN), zero(kN);
      detail::search_ranges_reference(w.data(), kN, importance.data(), kColumns, rules, search,
                                      expected_scale.data(), expected_zero.data(), kN);
      testing::on_every_target([&] {
        search_ranges(w.data(), kN, importance.data(), kColumns, rules, search, scale.data(),
                      zero.data(), kN);
        EXPECT_EQ(scale, expected_scale);
        EXPECT_EQ(zero, expected_zero);
      });
    }
  }
}

TEST(GridChoice, ScalesAreThoseThatFilesCanHold) {
  const auto w = normals(kColumns * kN, 1, 0.02F), importance = positives(kColumns, 2);
  for (const GridRules& rules : all_rules()) {
    std::vector<float> scale(kN), zero(kN);
    search_ranges(w.data(), kN, importance.data(), kColumns, rules, {}, scale.data(), zero.data(),
                  kN);
    for (std::size_t x = 0; x < kN; ++x) {
      const float stored = rules.scale_type == tensor::DType::kF16
                               ? tensor::f16_to_f32(tensor::f32_to_f16(scale[x]))
                               : tensor::bf16_to_f32(tensor::f32_to_bf16(scale[x]));
      EXPECT_EQ(scale[x], stored);
      EXPECT_GE(zero[x], static_cast<float>(rules.symmetric ? rules.middle() : rules.lowest_zero));
      EXPECT_LE(zero[x], static_cast<float>(rules.symmetric ? rules.middle() : rules.max_code));
      EXPECT_TRUE(scale[x] > 0 || (rules.symmetric && rules.negative_scales));
    }
  }
}

TEST(GridChoice, ASignedGridPutsTheExtremeValueOnCodeZero) {
  std::vector<float> w(2 * 16, 0.1F);
  w[0] = 0.8F;
  w[1] = -0.8F;
  const std::vector<float> importance = {1, 1};
  std::vector<float> scale(16), zero(16);
  search_ranges(w.data(), 16, importance.data(), 2, {.scale_type = tensor::DType::kBF16},
                {.n_steps = 0}, scale.data(), zero.data(), 16);
  EXPECT_NEAR(scale[0], -0.1F, 1e-3F);
  EXPECT_NEAR(scale[1], 0.1F, 1e-3F);
  EXPECT_EQ(zero[0], 8);
}

TEST(GridChoice, RefitIsThatOfTheReferenceToTheBit) {
  for (const GridRules& rules : all_rules()) {
    Grids old_grids(rules.max_code);
    Sums sums;
    for (std::size_t x = 0; x < kN; ++x) {
      if (rules.symmetric) old_grids.zero[x] = static_cast<float>(rules.middle());
      sums.values[2 * kN + x] = std::abs(sums.values[2 * kN + x]) + 0.1F;  // q H q
      old_grids.scale[x] = tensor::f16_to_f32(tensor::f32_to_f16(old_grids.scale[x]));
    }
    sums.values[2 * kN] = 0;  // codes that are all in the middle
    std::vector<float> expected_scale(kN), expected_zero(kN);
    detail::refit_grids_reference(sums.view(), 3.0F, rules, old_grids.view(), expected_scale.data(),
                                  expected_zero.data(), kN);
    testing::on_every_target([&] {
      std::vector<float> scale(kN), zero(kN);
      refit_grids(sums.view(), 3.0F, rules, old_grids.view(), scale.data(), zero.data(), kN);
      EXPECT_EQ(scale, expected_scale);
      EXPECT_EQ(zero, expected_zero);
    });
  }
}

// Where one value counts 1e8 times as much as the others, what float32 leaves of a denominator with the
// zero point at its code is rounding; taken for a number, it hides the grids that gain.
TEST(GridChoice, PolishGainsMostWhereOneValueOutweighsAllOthers) {
  const auto w = normals(kColumns * kN, 1, 0.02F);
  std::vector<float> importance = positives(kColumns, 2);
  importance[3] = 1e8F;
  GridRules rules;
  rules.symmetric = false;
  rules.max_code = 255;
  std::vector<float> scale(kN), zero(kN), plain_scale(kN), plain_zero(kN);
  search_ranges(w.data(), kN, importance.data(), kColumns, rules, {}, scale.data(), zero.data(),
                kN);
  search_ranges(w.data(), kN, importance.data(), kColumns, rules, {.n_polish = 0},
                plain_scale.data(), plain_zero.data(), kN);
  const auto error = [&](std::size_t x, float s, float z) {
    double sum = 0;
    for (std::size_t j = 0; j < kColumns; ++j) {
      const float value = w[j * kN + x];
      const float q = std::clamp(std::nearbyint(value / s) + z, 0.0F, 255.0F);
      const double e = double{value} - double{q - z} * double{s};
      sum += e * e * double{importance[j]};
    }
    return sum;
  };
  double polished = 0, plain = 0;
  for (std::size_t x = 0; x < kN; ++x) {
    polished += error(x, scale[x], zero[x]);
    plain += error(x, plain_scale[x], plain_zero[x]);
  }
  EXPECT_LT(polished, 0.15 * plain);
}

}  // namespace
}  // namespace lq::kernels
