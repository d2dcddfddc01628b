// The least of the smooth stand-in for what error feedback leaves (scale_search.h).

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "common/awq/scale_search.h"
#include "common/awq/site_rows.h"
#include "common/parallel/parallel_for.h"

namespace lq::awq {
namespace {

constexpr std::size_t kLanes = RowsTile::kLanes;
using Lanes = std::array<float, kLanes>;
using Places = std::array<std::uint32_t, kLanes>;

/// The ends of the ranges of a tile's rows in a group, 0 included, and the columns they are in.
struct Ranges {
  Lanes high{}, low{};
  Places at_high{}, at_low{};
};

Ranges ranges_of(const RowsTile& tile, std::size_t first, std::size_t n, const float* s) {
  Ranges out;
  for (std::size_t j = 0; j < n; ++j) {
    const float* const w = tile.column(first + j);
    const auto place = static_cast<std::uint32_t>(j);
    for (std::size_t r = 0; r < kLanes; ++r) {
      const float value = w[r] * s[j];
      out.at_high[r] = value > out.high[r] ? place : out.at_high[r];
      out.high[r] = value > out.high[r] ? value : out.high[r];
      out.at_low[r] = value < out.low[r] ? place : out.at_low[r];
      out.low[r] = value < out.low[r] ? value : out.low[r];
    }
  }
  return out;
}

/// The stand-in as a function of log s by channel.
class StandIn {
 public:
  StandIn(const SiteProblem& problem, const SiteRows& rows, int n_threads)
      : rows_(rows), n_threads_(n_threads), left_(rows.columns()), weight_(rows.energies()) {
    const solve::FactoredGram& h = problem.h;
    for (std::size_t k = 0; k < left_.size(); ++k) left_[h.order()[k]] = double{h.pivots()[k]};
    for (double& energy : weight_) energy = energy > 0 ? 1 / energy : 0;
  }

  /// `gradient` [columns] is replaced.
  double value(std::span<const double> log_s, std::span<double> gradient) const {
    const std::size_t n = rows_.group_size(), n_groups = rows_.columns() / n;
    std::vector<double> of_group(n_groups);
    parallel::parallel_for(n_groups, n_threads_, [&](std::size_t group, int) {
      of_group[group] =
          value_of_group(group * n, log_s.subspan(group * n, n), gradient.subspan(group * n, n));
    });
    double sum = 0;
    for (const double value : of_group) sum += value;
    return sum;
  }

 private:
  double value_of_group(std::size_t first, std::span<const double> log_s,
                        std::span<double> gradient) const {
    const std::size_t n = log_s.size();
    std::vector<float> s(n);
    double left = 0;
    for (std::size_t j = 0; j < n; ++j) {
      s[j] = static_cast<float>(std::exp(log_s[j]));
      left += left_[first + j] * std::exp(-2 * log_s[j]);
    }
    std::ranges::fill(gradient, 0.0);  // first that of the steps
    double steps = 0;
    for (const RowsTile& tile : rows_.tiles()) {
      const double weight = weight_[tile.layer];
      steps += weight * add_steps(tile, ranges_of(tile, first, n, s.data()), weight, gradient);
    }
    for (std::size_t j = 0; j < n; ++j) {
      gradient[j] = left * gradient[j] - 2 * steps * left_[first + j] * std::exp(-2 * log_s[j]);
    }
    return steps * left;
  }

  /// Sum over the rows of step^2; its gradient, times `weight`, is added.
  double add_steps(const RowsTile& tile, const Ranges& ranges, double weight,
                   std::span<double> gradient) const {
    const double top = rows_.rules().max_code;
    double sum = 0;
    for (std::size_t r = 0; r < tile.n; ++r) {
      double high = double{ranges.high[r]}, low = -double{ranges.low[r]};
      if (rows_.rules().symmetric) {
        const bool is_high = high >= low;
        high = is_high ? 2 * high : 0;
        low = is_high ? 0 : 2 * low;
      }
      const double step = (high + low) / top;
      sum += step * step;
      gradient[ranges.at_high[r]] += weight * 2 * step * high / top;
      gradient[ranges.at_low[r]] += weight * 2 * step * low / top;
    }
    return sum;
  }

  const SiteRows& rows_;
  const int n_threads_;
  std::vector<double> left_;    // D, by column
  std::vector<double> weight_;  // of a layer's rows
};

/// One step of Adam after another, within bounds.
class Adam {
 public:
  Adam(std::size_t n, double bound) : bound_(bound), mean_(n), square_(n) {}

  void step(std::span<const double> gradient, std::span<double> p) {
    constexpr double kRate = 0.02, kMean = 0.9, kSquare = 0.999;
    mean_left_ *= kMean;
    square_left_ *= kSquare;
    for (std::size_t i = 0; i < p.size(); ++i) {
      mean_[i] = kMean * mean_[i] + (1 - kMean) * gradient[i];
      square_[i] = kSquare * square_[i] + (1 - kSquare) * gradient[i] * gradient[i];
      const double size = std::sqrt(square_[i] / (1 - square_left_));
      if (size == 0) continue;
      p[i] -= kRate * mean_[i] / (1 - mean_left_) / size;
      p[i] = std::clamp(p[i], -bound_, bound_);
    }
  }

 private:
  const double bound_;
  std::vector<double> mean_, square_;
  double mean_left_ = 1, square_left_ = 1;
};

}  // namespace

FoundScales search_smooth(const SiteProblem& problem, const SearchSettings& settings) {
  assert(problem.h.is_solvable() && !problem.h.is_permuted());
  constexpr int kSteps = 100;
  const SiteRows rows(problem, settings);
  const StandIn stand_in(problem, rows, settings.n_threads);
  const std::vector<std::uint32_t>& parameter = problem.scale_of_channel;
  const std::size_t columns = rows.columns();
  const std::size_t n = *std::ranges::max_element(parameter) + std::size_t{1};
  std::vector<double> p(n), log_s(columns), gradient(columns), of_parameter(n);
  Adam adam(n, std::log(settings.largest_ratio) / 2);
  FoundScales found;
  std::vector<double> best(columns);
  for (int step = 0; step <= kSteps; ++step) {
    for (std::size_t j = 0; j < columns; ++j) log_s[j] = p[parameter[j]];
    const double loss = stand_in.value(log_s, gradient);
    if (step == 0) found.loss_of_identity = found.loss = loss;
    if (loss < found.loss) {
      found.loss = loss;
      best = log_s;
    }
    std::ranges::fill(of_parameter, 0.0);
    for (std::size_t j = 0; j < columns; ++j) of_parameter[parameter[j]] += gradient[j];
    adam.step(of_parameter, p);
  }
  if (!(found.loss < found.loss_of_identity * (1 - settings.least_gain))) {
    found.loss = found.loss_of_identity;
    return found;
  }
  const auto [low, high] = std::ranges::minmax(best);
  for (const double value : best) {
    found.s.push_back(static_cast<float>(std::exp(value - (low + high) / 2)));
  }
  return found;
}

}  // namespace lq::awq
