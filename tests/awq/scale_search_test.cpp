#include "common/awq/scale_search.h"

#include <gtest/gtest.h>
#include <limits>

#include "common/awq/site_rows.h"
#include "common/tensor/convert.h"
#include "tests/awq/site_problem.h"

namespace lq::awq {
namespace {

using testing::RandomSite;

/// The search of the definition: float64, and errors of the outputs for each token.
class DirectSearch {
 public:
  DirectSearch(const RandomSite& site, const SearchSettings& settings)
      : site_(site),
        settings_(settings),
        group_(settings.rounding.group_size == 0 ? site.columns : settings.rounding.group_size) {}

  /// Relative error of the outputs; `s` empty: of all 1.
  double loss(const std::vector<double>& s) const {
    double sum = 0;
    std::size_t first = 0;
    for (const std::size_t rows : site_.rows) {
      double error = 0, energy = 0;
      for (std::size_t r = first; r < first + rows; ++r) {
        const float* const w = site_.weights.data() + r * site_.columns;
        const std::vector<double> e = row_error(w, s);
        for (const std::vector<double>& x : site_.tokens) {
          double of_error = 0, output = 0;
          for (std::size_t j = 0; j < site_.columns; ++j) {
            of_error += e[j] * x[j];
            output += double{w[j]} * x[j];
          }
          error += of_error * of_error;
          energy += output * output;
        }
      }
      sum += error / energy;
      first += rows;
    }
    return sum;
  }

  struct Found {
    std::vector<double> s;
    double loss;
  };
  Found best(std::vector<double>* all_losses = nullptr) const {
    Found best{{}, loss({})};
    if (all_losses != nullptr) all_losses->push_back(best.loss);
    for (const std::vector<double>& s : candidates()) {
      const double value = loss(s);
      if (all_losses != nullptr) all_losses->push_back(value);
      if (value < best.loss) best = {s, value};
    }
    return best;
  }

  std::vector<std::vector<double>> candidates() const {
    const std::size_t n = site_.columns;
    const auto points = static_cast<std::size_t>(settings_.n_points);
    const std::vector<double> x = pooled(site_.mean_abs, false), w = pooled(mean_weights(), true);
    std::vector<std::vector<double>> out;
    for (std::size_t i = 0; i < points; ++i) {
      for (std::size_t k = i == 0 ? 1 : 0; k < points; ++k) {
        const double last = static_cast<double>(points - 1);
        std::vector<double> s(n);
        for (std::size_t j = 0; j < n; ++j) {
          s[j] = std::pow(x[j], static_cast<double>(i) / last) /
                 std::pow(w[j], static_cast<double>(k) / last);
        }
        const auto [low, high] = std::ranges::minmax(s);
        if (high / low > settings_.largest_ratio) continue;
        for (double& value : s) value /= std::sqrt(low * high);
        out.push_back(s);
      }
    }
    return out;
  }

 private:
  std::vector<double> mean_weights() const {
    const std::size_t n = site_.columns, n_rows = site_.weights.size() / n;
    std::vector<double> mean(n, 1e-4);
    for (std::size_t r = 0; r < n_rows; ++r) {
      for (std::size_t first = 0; first < n; first += group_) {
        const float* const w = site_.weights.data() + r * n + first;
        double largest = 1e-6;
        for (std::size_t j = 0; j < group_; ++j) {
          largest = std::max(largest, 1e-6 + std::abs(double{w[j]}));
        }
        for (std::size_t j = 0; j < group_; ++j) {
          mean[first + j] += std::abs(double{w[j]}) / largest / static_cast<double>(n_rows);
        }
      }
    }
    return mean;
  }

  std::vector<double> pooled(const std::vector<double>& values, bool geometric) const {
    std::vector<double> out(values.size());
    for (std::size_t j = 0; j < values.size(); ++j) {
      double sum = 0, count = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (site_.scale_of_channel[i] != site_.scale_of_channel[j]) continue;
        sum += geometric ? std::log(values[i]) : values[i];
        count += 1;
      }
      out[j] = geometric ? std::exp(sum / count) : sum / count;
    }
    return out;
  }

  std::vector<double> row_error(const float* w, const std::vector<double>& s) const {
    const double top = (1 << settings_.rounding.bits) - 1;
    std::vector<double> error(site_.columns);
    for (std::size_t first = 0; first < site_.columns; first += group_) {
      double lo = 0, hi = 0;
      const auto scaled = [&](std::size_t j) {
        return double{w[first + j]} * (s.empty() ? 1 : s[first + j]);
      };
      for (std::size_t j = 0; j < group_; ++j) {
        lo = std::min(lo, scaled(j));
        hi = std::max(hi, scaled(j));
      }
      const bool symmetric = settings_.rounding.symmetric;
      const double step =
          stored(symmetric ? (-lo >= hi ? -lo : -hi) / ((top + 1) / 2) : (hi - lo) / top);
      const double zero =
          symmetric ? (top + 1) / 2 : std::clamp(std::nearbyint(-lo / step), 0.0, top);
      for (std::size_t j = 0; j < group_; ++j) {
        const double code = std::clamp(std::nearbyint(scaled(j) / step) + zero, 0.0, top);
        error[first + j] =
            (code - zero) * step / (s.empty() ? 1 : s[first + j]) - double{w[first + j]};
      }
    }
    return error;
  }

  static double stored(double scale) {
    return double{tensor::f16_to_f32(tensor::f32_to_f16(static_cast<float>(scale)))};
  }

  const RandomSite& site_;
  const SearchSettings settings_;
  const std::size_t group_;
};

struct Case {
  const char* name;
  solve::Settings rounding;
  std::vector<std::size_t> rows;
  double spread;
  bool tied = false;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"asymmetric g32", {.group_size = 32, .symmetric = false}, {20, 7}, 1},
      {"asymmetric g64, like channels", {.group_size = 64, .symmetric = false}, {9, 5, 5}, 0.3},
      {"signed g32", {.group_size = 32}, {16}, 0.8},
      {"asymmetric whole rows", {.group_size = 0, .symmetric = false}, {16}, 1.2},
      {"channels that share a scale", {.group_size = 32, .symmetric = false}, {18}, 1, true},
  };
  return kCases;
}

RandomSite site_of(const Case& c, double damping) {
  RandomSite site(c.rows, 128, c.spread, 11, damping);
  if (c.tied) {  // two heads of 32 channels for each of 2
    for (std::uint32_t j = 0; j < 128; ++j) site.scale_of_channel[j] = j / 64 * 32 + j % 32;
  }
  return site;
}

std::vector<double> in_double(const std::vector<float>& s) { return {s.begin(), s.end()}; }

class ScaleSearch : public ::testing::TestWithParam<std::size_t> {};

TEST_P(ScaleSearch, FindsWhatASearchOverTheTokensFinds) {
  const Case& c = cases()[GetParam()];
  SCOPED_TRACE(c.name);
  const RandomSite site = site_of(c, 0);
  const solve::FactoredGram h = site.factored();
  SearchSettings settings{.rounding = c.rounding, .n_points = 6, .n_rows = 0};
  settings.every_candidate = true;
  settings.least_gain = 0;
  const DirectSearch direct(site, settings);
  const DirectSearch::Found wanted = direct.best();
  const FoundScales found = search_grid(site.problem(h), settings);
  EXPECT_NEAR(found.loss_of_identity, direct.loss({}), 1e-4 * direct.loss({}));
  EXPECT_NEAR(found.loss, wanted.loss, 1e-3 * wanted.loss);
  ASSERT_EQ(found.s.size(), wanted.s.size());
  for (std::size_t j = 0; j < found.s.size(); ++j) {
    ASSERT_NEAR(found.s[j], wanted.s[j], 1e-5 * wanted.s[j]) << j;
  }
}

TEST_P(ScaleSearch, IsNotMuchWorseWhereItRanksCandidatesFast) {
  const Case& c = cases()[GetParam()];
  SCOPED_TRACE(c.name);
  const RandomSite site = site_of(c, 0);
  const solve::FactoredGram h = site.factored();
  const SearchSettings settings{.rounding = c.rounding, .least_gain = 0};
  const DirectSearch direct(site, settings);
  const FoundScales fast = search_grid(site.problem(h), settings);
  EXPECT_LT(direct.loss(in_double(fast.s)), 1.01 * direct.best().loss);
}

INSTANTIATE_TEST_SUITE_P(Cases, ScaleSearch, ::testing::Range<std::size_t>(0, cases().size()));

SearchSettings usual() { return {.rounding = {.group_size = 32, .symmetric = false}}; }

TEST(ScaleSearch, RanksOnSampledRowsWithinAHundredthOfTheBest) {
  const RandomSite site({1500, 700}, 128, 1, 3);
  const solve::FactoredGram h = site.factored();
  SearchSettings settings = usual();
  settings.n_rows = 256;
  const FoundScales fast = search_grid(site.problem(h), settings);
  settings.n_rows = 0;
  settings.every_candidate = true;
  const FoundScales exact = search_grid(site.problem(h), settings);
  const SiteProblem problem = site.problem(h);
  const SiteRows rows(problem, settings);
  const std::vector<std::vector<float>> chosen = {fast.s};
  EXPECT_LT(rows.losses(chosen, linalg::Compute::kF32).front(), 1.01 * exact.loss);
  EXPECT_NEAR(fast.loss / fast.loss_of_identity, exact.loss / exact.loss_of_identity, 0.03);
}

TEST(ScaleSearch, StaysWith1WhereTooLittleIsWon) {
  const RandomSite site({40}, 64, 0.8, 5);
  const solve::FactoredGram h = site.factored();
  SearchSettings settings = usual();
  settings.least_gain = 0.95;
  for (const auto search : {search_grid, search_smooth}) {
    const FoundScales found = search(site.problem(h), settings);
    EXPECT_TRUE(found.s.empty());
    EXPECT_EQ(found.loss, found.loss_of_identity);
    EXPECT_GT(found.loss, 0);
  }
}

TEST(ScaleSearch, RefusesScalesThatAreFarApart) {
  const RandomSite site({40}, 64, 2, 5);
  const solve::FactoredGram h = site.factored();
  for (const auto search : {search_grid, search_smooth}) {
    SearchSettings settings = usual();
    const FoundScales wide = search(site.problem(h), settings);
    settings.largest_ratio = 2;
    const FoundScales narrow = search(site.problem(h), settings);
    ASSERT_FALSE(wide.s.empty());
    ASSERT_FALSE(narrow.s.empty());
    const auto ratio = [](const std::vector<float>& s) {
      const auto [low, high] = std::ranges::minmax(s);
      return high / low;
    };
    EXPECT_GT(ratio(wide.s), 2.0F);
    EXPECT_LE(ratio(narrow.s), 2.001F);
    EXPECT_LT(wide.loss, narrow.loss);
  }
}

TEST(ScaleSearch, GivesChannelsOfOneScaleTheSame) {
  const RandomSite site = site_of(cases()[4], 0.01);
  const solve::FactoredGram h = site.factored();
  for (const auto search : {search_grid, search_smooth}) {
    const FoundScales found = search(site.problem(h), usual());
    ASSERT_FALSE(found.s.empty());
    for (std::size_t j = 0; j < 64; ++j) {
      EXPECT_EQ(found.s[j / 32 * 64 + j % 32], found.s[j / 32 * 64 + 32 + j % 32]);
    }
    EXPECT_NE(found.s[0], found.s[1]);
  }
}

TEST(ScaleSearch, IsTheSameForAnyNumberOfThreads) {
  const RandomSite site({300, 130}, 128, 1, 8);
  const solve::FactoredGram h = site.factored();
  for (const auto search : {search_grid, search_smooth}) {
    SearchSettings settings = usual();
    const FoundScales one = search(site.problem(h), settings);
    settings.n_threads = 3;
    const FoundScales three = search(site.problem(h), settings);
    EXPECT_EQ(one.s, three.s);
    EXPECT_EQ(one.loss, three.loss);
    EXPECT_EQ(one.loss_of_identity, three.loss_of_identity);
  }
}

TEST(ScaleSearch, GivesChannelsThatNoTokenUsesAnOrdinaryScale) {
  RandomSite site({40}, 64, 0.8, 5);
  site.mean_abs[3] = 0;
  for (std::size_t j = 0; j < 64; ++j) site.gram[3 * 64 + j] = site.gram[j * 64 + 3] = 0;
  const solve::FactoredGram h = site.factored();
  const FoundScales found = search_grid(site.problem(h), usual());
  ASSERT_FALSE(found.s.empty());
  const auto [low, high] = std::ranges::minmax(found.s);
  EXPECT_GT(found.s[3], low);
  EXPECT_LT(found.s[3], high);
}

/// The stand-in as its definition has it, of layers that weigh as their energies say.
double stand_in(const RandomSite& site, const solve::FactoredGram& h, const std::vector<float>& s,
                std::size_t group, bool symmetric) {
  std::vector<double> left(site.columns);
  for (std::size_t k = 0; k < left.size(); ++k) left[h.order()[k]] = double{h.pivots()[k]};
  double sum = 0;
  for (std::size_t first = 0; first < site.columns; first += group) {
    double steps = 0, of_channels = 0;
    std::size_t row = 0;
    for (const std::size_t rows : site.rows) {
      double energy = 0, squares = 0;
      for (std::size_t r = row; r < row + rows; ++r) {
        const float* const w = site.weights.data() + r * site.columns;
        for (std::size_t i = 0; i < site.columns; ++i) {
          for (std::size_t j = 0; j < site.columns; ++j) {
            float element = 0;
            h.damped().get(i, j, {&element, 1});
            energy += double{w[i]} * double{element} * double{w[j]};
          }
        }
        double lo = 0, hi = 0;
        for (std::size_t j = first; j < first + group; ++j) {
          lo = std::min(lo, double{w[j]} * double{s[j]});
          hi = std::max(hi, double{w[j]} * double{s[j]});
        }
        const double step = (symmetric ? 2 * std::max(-lo, hi) : hi - lo) / 15;
        squares += step * step;
      }
      steps += squares / energy;
      row += rows;
    }
    for (std::size_t j = first; j < first + group; ++j) {
      of_channels += left[j] / double{s[j]} / double{s[j]};
    }
    sum += steps * of_channels;
  }
  return sum;
}

TEST(SmoothSearch, MakesTheStandInSmall) {
  for (const bool symmetric : {false, true}) {
    const RandomSite site({30, 12}, 64, 0.5, 6);  // within reach of the search's steps
    const solve::FactoredGram h = site.factored();
    SearchSettings settings{.rounding = {.group_size = 32, .symmetric = symmetric}};
    const auto value = [&](const std::vector<float>& s) {
      return stand_in(site, h, s, 32, symmetric);
    };
    const FoundScales found = search_smooth(site.problem(h), settings);
    ASSERT_EQ(found.s.size(), 64U);
    const double identity = value(std::vector<float>(64, 1.0F)), best = value(found.s);
    EXPECT_NEAR(found.loss_of_identity, identity, 1e-3 * identity);
    EXPECT_NEAR(found.loss, best, 1e-3 * best);
    EXPECT_LT(best, 0.9 * identity);
    // No channel would be better elsewhere, as far as the steps of the search can tell.
    for (std::size_t j = 0; j < 64; ++j) {
      for (const float factor : {0.8F, 1.25F}) {
        std::vector<float> other = found.s;
        other[j] *= factor;
        EXPECT_GT(value(other), 0.99 * best) << j;
      }
    }
    EXPECT_LT(best, value(search_grid(site.problem(h), settings).s));
  }
}

}  // namespace
}  // namespace lq::awq
