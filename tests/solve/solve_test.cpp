#include "common/solve/solve.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "tests/solve/reference.h"

namespace lq::solve {
namespace {

using testing::ReferenceRow;

/// Weights with outliers, and tokens whose channels are related and of unlike size.
struct Layer {
  std::size_t rows, columns;
  std::vector<float> weights;
  linalg::AlignedVector<float> gram;

  Layer(std::size_t n_rows, std::size_t n_columns, std::size_t n_tokens, unsigned seed)
      : rows(n_rows), columns(n_columns), weights(rows * columns), gram(columns * columns, 0.0F) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::student_t_distribution<double> tails(5);
    for (float& w : weights) w = static_cast<float>(0.02 * tails(random));
    std::vector<double> sum(columns * columns), size(columns), x(columns);
    for (double& s : size) s = std::exp(normal(random));
    for (std::size_t t = 0; t < n_tokens; ++t) {
      double common = 0;
      for (std::size_t i = 0; i < columns; ++i) {
        common = 0.7 * common + normal(random);
        x[i] = common * size[i];
      }
      for (std::size_t i = 0; i < columns; ++i) {
        for (std::size_t j = 0; j < columns; ++j) sum[i * columns + j] += x[i] * x[j];
      }
    }
    for (std::size_t i = 0; i < sum.size(); ++i) gram[i] = static_cast<float>(sum[i]);
  }

  ReadRows reader() const {
    return [this](std::size_t first, std::size_t n, float* out) {
      std::copy_n(weights.data() + first * columns, n * columns, out);
    };
  }
  testing::Rows h(double share) const {
    testing::Rows h(columns, std::vector<double>(columns));
    for (std::size_t i = 0; i < columns; ++i) {
      for (std::size_t j = 0; j < columns; ++j) h[i][j] = double{gram[i * columns + j]};
    }
    return testing::damped(std::move(h), share);
  }
  std::vector<double> row(std::size_t r) const {
    return {weights.begin() + static_cast<std::ptrdiff_t>(r * columns),
            weights.begin() + static_cast<std::ptrdiff_t>((r + 1) * columns)};
  }
};

double loss_of(const Layer& layer, const testing::Rows& h, const tensor::QuantizedMatrix& q,
               std::size_t r) {
  std::vector<double> e(layer.columns);
  for (std::size_t j = 0; j < e.size(); ++j) {
    e[j] = double{layer.weights[r * layer.columns + j]} - double{q.value(r, j)};
  }
  double sum = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    for (std::size_t j = 0; j < e.size(); ++j) sum += e[i] * h[i][j] * e[j];
  }
  return sum;
}

struct Case {
  const char* name;
  Settings settings;
  std::size_t columns = 256;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"4 bit signed g128", {}},
      {"4 bit signed g32", {.group_size = 32}},
      {"4 bit positive g64", {.group_size = 64, .negative_scales = false}},
      {"4 bit asymmetric g128", {.symmetric = false}},
      {"4 bit asymmetric without zero 0", {.group_size = 64, .symmetric = false, .lowest_zero = 1}},
      {"3 bit asymmetric g32", {.bits = 3, .group_size = 32, .symmetric = false}},
      {"2 bit signed g64", {.bits = 2, .group_size = 64}},
      {"8 bit signed g128", {.bits = 8}},
      {"4 bit whole rows", {.group_size = 0}},
      {"4 bit bfloat16 scales", {.scale_type = tensor::DType::kBF16}},
      {"4 bit of the values' range", {.search_ranges = false}},
      {"4 bit, columns that are no multiple of a block", {.group_size = 64}, 192},
      {"3 bit whole short rows", {.bits = 3, .group_size = 0}, 96},
  };
  return kCases;
}

class SolveAgainstReference : public ::testing::TestWithParam<std::size_t> {};

/// A tie that rounding breaks otherwise changes all that follows in its row, so rows are compared
/// as they are, and all codes together.
TEST_P(SolveAgainstReference, GivesTheSameCodesAndErrors) {
  const Case& c = cases()[GetParam()];
  SCOPED_TRACE(c.name);
  const Layer layer(40, c.columns, 400, 7);
  const testing::Rows h = layer.h(0.01);
  const testing::ReferenceFactor factor(h);
  for (const int sweeps : {0, 1, 3}) {
    Settings settings = c.settings;
    settings.sweeps = sweeps;
    const FactoredGram gram(layer.gram, layer.columns, {}, false, 2);
    ASSERT_TRUE(gram.is_solvable());
    Outcome outcome;
    const auto q = solve(gram, layer.rows, layer.reader(), settings, 2, outcome);
    std::size_t same = 0;
    double reference_error = 0, error = 0, rounded_error = 0;
    for (std::size_t r = 0; r < layer.rows; ++r) {
      ReferenceRow rounded(layer.row(r), h, settings), solved(layer.row(r), h, settings);
      rounded.round();
      solved.feed_back(factor);
      rounded_error += rounded.loss();
      if (rounded.loss() < solved.loss()) solved.round();
      for (int i = 0; i < sweeps; ++i) solved.sweep();
      reference_error += solved.loss();
      const double own = loss_of(layer, h, q, r);
      EXPECT_LE(own, rounded.loss() * 1.0001);
      error += own;
      for (std::size_t j = 0; j < layer.columns; ++j) {
        same += q.codes[r * layer.columns + j] == solved.code(j) ? 1 : 0;
      }
    }
    EXPECT_GE(static_cast<double>(same), 0.999 * static_cast<double>(layer.rows * layer.columns))
        << sweeps;
    EXPECT_LE(error, 1.001 * reference_error) << sweeps;
    EXPECT_NEAR(outcome.error, error, 1e-3 * error) << sweeps;
    EXPECT_NEAR(outcome.rounded_error, rounded_error, 3e-3 * rounded_error) << sweeps;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, SolveAgainstReference,
                         ::testing::Range<std::size_t>(0, cases().size()));

/// Sums in float32 choose otherwise where two shares are as good: errors are compared, not codes.
TEST_P(SolveAgainstReference, ClipsRangesAsTheDefinitionDoes) {
  const Case& c = cases()[GetParam()];
  SCOPED_TRACE(c.name);
  Settings settings = c.settings;
  if (settings.group_size == 0) settings.group_size = std::min(c.columns, kMaxGroup);
  const Layer layer(6, c.columns, 400, 9);
  const testing::Rows h = layer.h(0.01);
  const FactoredGram gram(layer.gram, layer.columns, {}, false, 2);
  std::vector<ReferenceRow> rows;
  std::vector<double> rounded;
  double rounded_error = 0;
  for (std::size_t r = 0; r < layer.rows; ++r) {
    rows.emplace_back(layer.row(r), h, settings).round();
    rounded.push_back(rows.back().loss());
    rounded_error += rounded.back();
  }
  for (const int n_passes : {1, 2}) {
    Outcome outcome;
    const auto q = round_clipped(gram, layer.rows, layer.reader(), settings, n_passes, 2, outcome);
    double reference_error = 0, error = 0;
    for (std::size_t r = 0; r < layer.rows; ++r) {
      const double own = loss_of(layer, h, q, r);
      EXPECT_LE(own, rounded[r] * 1.0001) << r;
      rows[r].clip();
      reference_error += rows[r].loss();
      error += own;
    }
    EXPECT_NEAR(error, reference_error, 2e-3 * reference_error) << n_passes;
    EXPECT_NEAR(outcome.error, error, 1e-3 * error) << n_passes;
    EXPECT_NEAR(outcome.rounded_error, rounded_error, 1e-3 * rounded_error) << n_passes;
    EXPECT_LT(error, (settings.bits < 8 ? 0.99 : 1.0001) * rounded_error);
  }
}

FactoredGram factored(const Layer& layer, bool by_importance = false) {
  return {layer.gram, layer.columns, {}, by_importance, 2};
}

TEST(Solve, IsTheSameForAnyNumberOfThreads) {
  const Layer layer(300, 128, 300, 3);
  const FactoredGram h = factored(layer);
  Outcome one_outcome, three_outcome;
  const auto one = solve(h, layer.rows, layer.reader(), {.group_size = 64}, 1, one_outcome);
  const auto three = solve(h, layer.rows, layer.reader(), {.group_size = 64}, 3, three_outcome);
  EXPECT_EQ(one.codes, three.codes);
  EXPECT_EQ(one.scales, three.scales);
  EXPECT_EQ(one_outcome.error, three_outcome.error);
}

TEST(Solve, ClipsRangesTheSameForAnyNumberOfThreadsAndInGroupsByImportance) {
  const Layer layer(300, 128, 300, 3);
  const FactoredGram h = factored(layer, true);
  Outcome one_outcome, three_outcome;
  const Settings settings{.group_size = 32, .symmetric = false};
  const auto one = round_clipped(h, layer.rows, layer.reader(), settings, 2, 1, one_outcome);
  const auto three = round_clipped(h, layer.rows, layer.reader(), settings, 2, 3, three_outcome);
  EXPECT_EQ(one.codes, three.codes);
  EXPECT_EQ(one.scales, three.scales);
  EXPECT_EQ(one.group_of, three.group_of);
  EXPECT_EQ(one_outcome.error, three_outcome.error);
  double error = 0;
  for (std::size_t r = 0; r < layer.rows; ++r) error += loss_of(layer, layer.h(0.01), one, r);
  EXPECT_NEAR(one_outcome.error, error, 1e-3 * error);
  Outcome solved;
  solve(h, layer.rows, layer.reader(), settings, 1, solved);
  EXPECT_NEAR(one_outcome.energy, solved.energy, 1e-4 * solved.energy);
  EXPECT_NEAR(one_outcome.rounded_error, solved.rounded_error, 1e-3 * solved.rounded_error);
}

TEST(Solve, ClipsRangesOfZerosAndOfTheSmallestValues) {
  Layer layer(3, 64, 80, 1);
  std::ranges::fill(layer.weights, 0.0F);
  std::fill_n(layer.weights.begin() + 64, 64, 1e-8F);
  for (const bool symmetric : {true, false}) {
    Outcome outcome;
    const auto q = round_clipped(factored(layer), 3, layer.reader(),
                                 {.group_size = 32, .symmetric = symmetric}, 2, 1, outcome);
    for (std::size_t j = 0; j < 64; ++j) EXPECT_EQ(q.value(0, j), 0.0F);
    for (const float scale : q.scales) EXPECT_GT(std::abs(scale), 0.0F);
  }
}

TEST(Solve, GivesARowTheSameCodesWhateverRowsAreSolvedWithIt) {
  const Layer layer(130, 128, 300, 3);  // the last tile has two rows
  const FactoredGram h = factored(layer);
  Outcome outcome;
  const auto all = solve(h, layer.rows, layer.reader(), {.symmetric = false}, 1, outcome);
  const auto last = solve(
      h, 1, [&](std::size_t, std::size_t n, float* out) { layer.reader()(129, n, out); },
      {.symmetric = false}, 1, outcome);
  EXPECT_TRUE(std::equal(last.codes.begin(), last.codes.end(), all.codes.begin() + 129 * 128));
  EXPECT_EQ(last.scales[0], all.scales[129]);
  EXPECT_EQ(last.zeros[0], all.zeros[129]);
}

TEST(Solve, GroupsColumnsByImportanceWhereAsked) {
  const Layer layer(20, 128, 300, 5);
  Outcome outcome;
  const FactoredGram h = factored(layer, true);
  const auto q = solve(h, layer.rows, layer.reader(), {.group_size = 32}, 1, outcome);
  ASSERT_EQ(q.group_of.size(), 128U);
  const testing::Rows damped = layer.h(0.01);
  for (std::size_t i = 0; i < 128; ++i) {
    for (std::size_t j = 0; j < 128; ++j) {
      EXPECT_TRUE(damped[i][i] <= damped[j][j] || q.group_of[i] <= q.group_of[j]);
    }
  }
  double error = 0;
  for (std::size_t r = 0; r < layer.rows; ++r) error += loss_of(layer, damped, q, r);
  EXPECT_NEAR(error, outcome.error, 1e-3 * error);
  EXPECT_LT(error, outcome.rounded_error);
}

// Sums of float32 over a group with such a channel are mostly rounding, and so is what refits gain.
TEST(Solve, NoRowIsWorseThanRoundedWhereOneChannelOutweighsAllOthers) {
  for (const float size : {1e3F, 1e4F}) {
    Layer layer(200, 128, 300, 7);
    for (std::size_t j = 0; j < layer.columns; ++j) {
      layer.gram[5 * layer.columns + j] *= size;
      layer.gram[j * layer.columns + 5] *= size;
    }
    const testing::Rows h = layer.h(0.01);
    std::vector<float> importance;
    for (std::size_t j = 0; j < layer.columns; ++j) {
      importance.push_back(static_cast<float>(h[j][j]));
    }
    for (const int bits : {4, 8}) {
      const Settings settings{.bits = bits, .group_size = 64, .symmetric = false};
      Outcome outcome, unused;
      const auto solved = solve(factored(layer), layer.rows, layer.reader(), settings, 2, outcome);
      const auto rounded = round_to_nearest(importance, layer.columns, layer.rows, layer.reader(),
                                            settings, 2, unused);
      double error = 0;
      for (std::size_t r = 0; r < layer.rows; ++r) {
        const double loss = loss_of(layer, h, solved, r);
        EXPECT_LE(loss, 1.001 * loss_of(layer, h, rounded, r)) << size << ", " << bits << ": " << r;
        error += loss;
      }
      EXPECT_NEAR(outcome.error, error, 0.02 * error) << size << ", " << bits;
    }
  }
}

TEST(Solve, KeepsRoundingForRowsThatItServesBetter) {
  // Over few columns feedback is a loss for some rows.
  const Layer layer(100, 16, 300, 1);
  const testing::Rows h = layer.h(0.01);
  const testing::ReferenceFactor factor(h);
  const Settings settings{.bits = 3, .group_size = 16, .sweeps = 0};
  Outcome outcome;
  const auto q = solve(factored(layer), layer.rows, layer.reader(), settings, 1, outcome);
  std::size_t n_rounded = 0;
  for (std::size_t r = 0; r < layer.rows; ++r) {
    ReferenceRow rounded(layer.row(r), h, settings), fed(layer.row(r), h, settings);
    rounded.round();
    fed.feed_back(factor);
    const bool rounds = rounded.loss() < fed.loss();
    n_rounded += rounds ? 1 : 0;
    for (std::size_t j = 0; j < layer.columns; ++j) {
      EXPECT_EQ(q.codes[r * layer.columns + j], (rounds ? rounded : fed).code(j)) << r << " " << j;
    }
  }
  EXPECT_GT(n_rounded, 0U);
  EXPECT_EQ(outcome.rounded_rows, n_rounded);
}

TEST(Solve, TellsTheEnergyOfAllRowsFromSome) {
  for (const std::size_t rows : {150, 1100}) {
    Layer layer(rows, 128, 300, 9);
    for (std::size_t r = 1; r < layer.rows; ++r) {  // multiples of one row
      for (std::size_t j = 0; j < layer.columns; ++j) {
        layer.weights[r * layer.columns + j] = layer.weights[j] * static_cast<float>(1 + r % 5);
      }
    }
    Outcome outcome;
    solve(factored(layer), layer.rows, layer.reader(), {.sweeps = 0}, 1, outcome);
    const tensor::QuantizedMatrix nothing(1, layer.columns, layer.columns, 4);  // scales of 0
    const double of_row = loss_of(layer, layer.h(0.01), nothing, 0);
    double expected = 0;
    for (std::size_t r = 0; r < layer.rows; ++r) {
      const auto factor = static_cast<double>(r == 0 ? 1 : 1 + r % 5);
      expected += factor * factor * of_row;
    }
    EXPECT_NEAR(outcome.energy, expected, 2e-2 * expected);
  }
}

TEST(Solve, CountsCodesAtTheEndsOfTheGrid) {
  Layer layer(2, 32, 40, 1);
  std::ranges::fill(layer.weights, 0.0F);
  layer.weights[0] = 1;  // of a signed grid: code 0
  layer.weights[40] = 1;
  Outcome outcome;
  const auto q = round_to_nearest({}, 32, 2, layer.reader(), {.group_size = 32}, 1, outcome);
  EXPECT_EQ(outcome.saturated_codes, 2U);
  EXPECT_EQ(q.value(0, 0), 1.0F);
  EXPECT_EQ(q.value(0, 1), 0.0F);
}

TEST(Solve, WritesZerosAsZerosWhateverTheGrid) {
  Layer layer(3, 64, 80, 1);
  std::ranges::fill(layer.weights, 0.0F);
  for (const bool symmetric : {true, false}) {
    Outcome outcome;
    const auto q = solve(factored(layer), 3, layer.reader(),
                         {.group_size = 32, .symmetric = symmetric}, 1, outcome);
    for (std::size_t j = 0; j < 64; ++j) EXPECT_EQ(q.value(1, j), 0.0F);
    for (const float scale : q.scales) EXPECT_GT(std::abs(scale), 0.0F);
  }
}

TEST(Solve, RoundingWithImportanceFavoursImportantColumns) {
  const Layer layer(50, 64, 70, 2);
  std::vector<float> importance(64, 1e-4F);
  importance[5] = 1;
  Outcome outcome;
  const Settings settings{.bits = 2, .group_size = 64};
  const auto plain = round_to_nearest({}, 64, 50, layer.reader(), settings, 1, outcome);
  const auto weighed = round_to_nearest(importance, 64, 50, layer.reader(), settings, 1, outcome);
  double plain_error = 0, weighed_error = 0;
  for (std::size_t r = 0; r < 50; ++r) {
    const float w = layer.weights[r * 64 + 5];
    plain_error += std::abs(double{plain.value(r, 5)} - double{w});
    weighed_error += std::abs(double{weighed.value(r, 5)} - double{w});
  }
  EXPECT_LT(weighed_error, 0.5 * plain_error);
}

}  // namespace
}  // namespace lq::solve
