// Targets and their strength against the definition in float64, and what the strength is for.

#include "common/sequential/correction.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "common/solve/sampled_rows.h"
#include "tests/solve/reference.h"

namespace lq::sequential {
namespace {

using calibration::CrossProducts;
using lq::testing::Rows;

/// What a layer reads and how much of it is lost.
struct Problem {
  std::size_t width = 40, rows = 30, n_folds = 4, n_tokens = 100;  // of a fold
  bool has_residual = true;
  double systematic = 0.1;  // loss that is the same for all tokens
  double noise = 0.05;      // loss of each for itself
};

class Sums {
 public:
  explicit Sums(const Problem& problem) : problem_(problem), random_(7) {
    const std::size_t d = problem.width;
    weights = values(problem.rows * d, 1.0);
    const std::vector<float> lost = values(d * d, problem.systematic / std::sqrt(double(d)));
    const std::vector<float> lost_stream =
        values(problem.rows * d, problem.systematic / std::sqrt(double(d)));
    for (std::size_t fold = 0; fold < problem.n_folds; ++fold) {
      CrossProducts& sums = folds.emplace_back();
      sums.count = static_cast<std::int64_t>(problem.n_tokens);
      sums.gram.assign(d * d, 0.0F);
      sums.cross.assign(d * d, 0.0F);
      sums.residual_cross.assign(problem.has_residual ? problem.rows * d : 0, 0.0F);
      for (std::size_t t = 0; t < problem.n_tokens; ++t) add_token(lost, lost_stream, sums);
    }
  }

  solve::ReadRows reader() const {
    return [this](std::size_t first, std::size_t n, float* out) {
      std::copy_n(weights.data() + first * problem_.width, n * problem_.width, out);
    };
  }
  SiteSums::Sample sample() const {
    SiteSums::Sample sample;
    sample.rows = solve::sampled_rows(problem_.rows, kSampledRows);
    sample.weights.reshape(sample.rows.size(), problem_.width, linalg::Compute::kF32);
    for (std::size_t i = 0; i < sample.rows.size(); ++i) {
      sample.weights.set_row(
          i, std::span(weights).subspan(sample.rows[i] * problem_.width, problem_.width));
    }
    return sample;
  }
  SiteSums added(int n_threads = 2) const {
    SiteSums sums(problem_.width, problem_.n_folds, sample(), n_threads);
    for (std::size_t fold = 0; fold < folds.size(); ++fold) {
      CrossProducts given = folds[fold];
      sums.add(fold, given);
    }
    return sums;
  }

  /// Sums of some folds, as the definition has them.
  Rows gram(const std::function<bool(std::size_t)>& counts) const {
    const std::size_t d = problem_.width;
    Rows h(d, std::vector<double>(d));
    for (std::size_t fold = 0; fold < folds.size(); ++fold) {
      if (!counts(fold)) continue;
      for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < d; ++j) {
          h[i][j] += double{folds[fold].gram[std::min(i, j) * d + std::max(i, j)]};
        }
      }
    }
    return h;
  }
  Rows products(const std::function<bool(std::size_t)>& counts,
                std::span<const std::size_t> rows) const {
    const std::size_t d = problem_.width;
    Rows m(rows.size(), std::vector<double>(d));
    for (std::size_t fold = 0; fold < folds.size(); ++fold) {
      if (!counts(fold)) continue;
      for (std::size_t r = 0; r < rows.size(); ++r) {
        for (std::size_t i = 0; i < d; ++i) {
          const double w = double{weights[rows[r] * d + i]};
          for (std::size_t j = 0; j < d; ++j) m[r][j] += w * double{folds[fold].cross[i * d + j]};
        }
        if (!problem_.has_residual) continue;
        for (std::size_t j = 0; j < d; ++j) {
          m[r][j] += double{folds[fold].residual_cross[rows[r] * d + j]};
        }
      }
    }
    return m;
  }

  std::vector<float> weights;
  std::vector<CrossProducts> folds;

 private:
  std::vector<float> values(std::size_t n, double deviation) {
    std::normal_distribution<double> normal(0, deviation);
    std::vector<float> values(n);
    for (float& value : values) value = static_cast<float>(normal(random_));
    return values;
  }
  void add_token(const std::vector<float>& lost, const std::vector<float>& lost_stream,
                 CrossProducts& sums) {
    const std::size_t d = problem_.width;
    const std::vector<float> y = values(d, 1.0);
    const auto add = [&](const std::vector<float>& matrix, std::size_t rows, float* to) {
      const std::vector<float> noise = values(rows, problem_.noise);
      for (std::size_t i = 0; i < rows; ++i) {
        float difference = noise[i];
        for (std::size_t j = 0; j < d; ++j) difference += matrix[i * d + j] * y[j];
        for (std::size_t j = 0; j < d; ++j) to[i * d + j] += difference * y[j];
      }
    };
    add(lost, d, sums.cross.data());
    if (problem_.has_residual) add(lost_stream, problem_.rows, sums.residual_cross.data());
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = i; j < d; ++j) sums.gram[i * d + j] += y[i] * y[j];
    }
  }

  const Problem problem_;
  std::mt19937 random_;
};

Rows product(const Rows& a, const Rows& b) {
  Rows c(a.size(), std::vector<double>(b[0].size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t k = 0; k < b.size(); ++k) {
      for (std::size_t j = 0; j < c[i].size(); ++j) c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

double inner(const Rows& a, const Rows& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a[i].size(); ++j) sum += a[i][j] * b[i][j];
  }
  return sum;
}

/// c as the definition has it.
double strength_of(const Sums& sums, const Problem& problem) {
  const std::vector<std::size_t> rows = solve::sampled_rows(problem.rows, kSampledRows);
  double gain = 0, held = 0;
  for (std::size_t k = 0; k < problem.n_folds; ++k) {
    const auto is_other = [k](std::size_t fold) { return fold != k; };
    const auto is_own = [k](std::size_t fold) { return fold == k; };
    const Rows p = product(sums.products(is_other, rows),
                           lq::testing::inverse(lq::testing::damped(sums.gram(is_other), 0.01)));
    gain += inner(p, sums.products(is_own, rows));
    held += inner(product(p, sums.gram(is_own)), p);
  }
  return std::clamp(gain / held, 0.0, 1.0);
}

void expect_targets_of_the_definition(const Sums& sums, const Problem& problem) {
  SiteSums added = sums.added();
  const Strength strength = added.held_out({});
  EXPECT_EQ(strength.n_folds, problem.n_folds);
  EXPECT_NEAR(strength.c, strength_of(sums, problem), 1e-4);
  const linalg::AlignedVector<float> gram = added.take_gram();
  const solve::FactoredGram h(gram, problem.width, {}, true, 2);
  const auto targets = added.take_targets(h, 0.5, problem.rows, sums.reader());
  ASSERT_EQ(targets.size(), problem.rows * problem.width);
  const auto all = [](std::size_t) { return true; };
  std::vector<std::size_t> rows(problem.rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const Rows p = product(sums.products(all, rows),
                         lq::testing::inverse(lq::testing::damped(sums.gram(all), 0.01)));
  const double size = std::sqrt(inner(p, p) / static_cast<double>(targets.size()));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    ASSERT_NEAR(targets[i], double{sums.weights[i]} + 0.5 * p[i / problem.width][i % problem.width],
                1e-4 * size + 1e-6)
        << i;
  }
}

TEST(Correction, IsThatOfTheDefinition) {
  const Problem problem;
  expect_targets_of_the_definition(Sums(problem), problem);
}

TEST(Correction, IsThatOfTheDefinitionWithoutAResidualStream) {
  const Problem problem{.has_residual = false};
  expect_targets_of_the_definition(Sums(problem), problem);
}

// More columns than a tile has, more rows than a strip and than are sampled.
TEST(Correction, IsThatOfTheDefinitionWithManyColumnsAndRows) {
  const Problem problem{.width = 530, .rows = 300, .n_folds = 2, .n_tokens = 400};
  expect_targets_of_the_definition(Sums(problem), problem);
}

// More columns than one product has terms.
TEST(Correction, AddsUpAllTerms) {
  constexpr std::size_t kWidth = 1100;
  SiteSums::Sample sample;
  sample.rows = {0};
  sample.weights.reshape(1, kWidth, linalg::Compute::kF32);
  sample.weights.set_row(0, std::vector<float>(kWidth, 1.0F));
  SiteSums sums(kWidth, 1, std::move(sample), 2);
  CrossProducts given;
  given.count = 1;
  given.gram.assign(kWidth * kWidth, 0.0F);
  given.cross.assign(kWidth * kWidth, 1.0F);
  for (std::size_t i = 0; i < kWidth; ++i) given.gram[i * kWidth + i] = 2;
  sums.add(0, given);
  const solve::FactoredGram h(sums.take_gram(), kWidth, {.share = 0}, false, 2);
  const auto targets = sums.take_targets(
      h, 1.0, 1, [](std::size_t, std::size_t, float* out) { std::fill_n(out, kWidth, 1.0F); });
  for (const float target : targets) ASSERT_FLOAT_EQ(target, 1 + kWidth / 2.0F);
}

TEST(Correction, IsTrustedWhereFoldsAgree) {
  EXPECT_GT(Sums({.n_tokens = 2000, .systematic = 0.3, .noise = 0.01}).added().held_out({}).c,
            0.97);
}

TEST(Correction, IsHardlyTrustedWhereItIsNoise) {
  EXPECT_LT(Sums({.n_tokens = 30, .systematic = 0, .noise = 0.3}).added().held_out({}).c, 0.1);
}

TEST(Correction, IsTrustedTheMoreTheMoreTokensItComesFrom) {
  const auto c = [](std::size_t n_tokens) {
    return Sums({.n_tokens = n_tokens, .systematic = 0.1, .noise = 0.3}).added().held_out({}).c;
  };
  const double few = c(25), more = c(100), many = c(800);
  EXPECT_LT(few + 0.1, more);
  EXPECT_LT(more + 0.1, many);
}

TEST(Correction, NeedsTwoFoldsWithTokens) {
  const Problem problem;
  const Sums made(problem);
  SiteSums sums(problem.width, 4, made.sample(), 1);
  CrossProducts given = made.folds[1];
  sums.add(1, given);
  EXPECT_EQ(sums.held_out({}).n_folds, 0U);
  EXPECT_EQ(sums.held_out({}).c, 0.0);
  given = made.folds[3];
  sums.add(3, given);
  EXPECT_EQ(sums.held_out({}).n_folds, 2U);
  EXPECT_GT(sums.held_out({}).c, 0.0);
}

TEST(Correction, IsNotNeededWhereStreamsDoNotDiffer) {
  Sums made({});
  for (CrossProducts& fold : made.folds) {
    std::ranges::fill(fold.cross, 0.0F);
    std::ranges::fill(fold.residual_cross, 0.0F);
  }
  const Strength strength = made.added().held_out({});
  EXPECT_FALSE(strength.is_needed);
  EXPECT_EQ(strength.c, 0.0);
}

/// Two folds of two columns; the others of fold 1 are fold 0 and the other way round.
Strength of_two(const linalg::AlignedVector<float>& first,
                const linalg::AlignedVector<float>& second) {
  SiteSums::Sample sample;
  sample.rows = {0};
  sample.weights.reshape(1, 2, linalg::Compute::kF32);
  sample.weights.set_row(0, std::vector<float>{1, 1});
  SiteSums sums(2, 2, std::move(sample), 1);
  CrossProducts a{1, first, {1, 0, 0, 1}, {}}, b{1, second, {1, 0, 0, 1}, {}};
  sums.add(0, a);
  sums.add(1, b);
  return sums.held_out({.share = 0});
}

TEST(Correction, LeavesOutFoldsWhoseOthersHaveNoFactor) {
  EXPECT_EQ(of_two({4, 1, 0, 4}, {4, 0, 0, 4}).n_folds, 2U);
  EXPECT_EQ(of_two({1, 4, 0, 1}, {4, 0, 0, 4}).n_folds, 1U);
  const Strength none = of_two({1, 4, 0, 1}, {1, 4, 0, 1});
  EXPECT_EQ(none.n_folds, 0U);
  EXPECT_TRUE(none.is_needed);
  EXPECT_EQ(none.c, 0.0);
}

TEST(Correction, OfSumsThatAreNotFiniteIsLeftOut) {
  Sums made({});
  made.folds[2].cross[5] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(made.added().held_out({}).c, 0.0);
}

TEST(Correction, DoesNotDependOnTheThreads) {
  const Problem problem{.width = 200, .rows = 300};
  const Sums made(problem);
  const auto run = [&](int n_threads) {
    SiteSums sums = made.added(n_threads);
    const Strength strength = sums.held_out({});
    const auto gram = sums.take_gram();
    const solve::FactoredGram h(gram, problem.width, {}, false, n_threads);
    auto targets = sums.take_targets(h, strength.c, problem.rows, made.reader());
    return std::pair(strength.c, std::move(targets));
  };
  EXPECT_EQ(run(1), run(3));
}

TEST(Correction, GivesUpTheMemoryOfALane) {
  Sums made({});
  SiteSums sums(40, 4, made.sample(), 1);
  sums.add(0, made.folds[0]);
  EXPECT_EQ(made.folds[0].gram.capacity() + made.folds[0].cross.capacity() +
                made.folds[0].residual_cross.capacity(),
            0U);
}

TEST(Correction, WithoutASampleIsNoneButHasTheGram) {
  const Sums made({});
  SiteSums sums(40, 1, {}, 1), all = made.added();
  for (const CrossProducts& fold : made.folds) {
    CrossProducts given = fold;
    sums.add(0, given);
  }
  EXPECT_EQ(sums.held_out({}).c, 0.0);
  const auto expected = all.take_gram(), gram = sums.take_gram();
  for (std::size_t i = 0; i < gram.size(); ++i) ASSERT_FLOAT_EQ(gram[i], expected[i]);
}

}  // namespace
}  // namespace lq::sequential
