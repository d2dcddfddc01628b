// The least of the smooth stand-in for what error feedback leaves (scale_search.h).

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <map>

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

/// The stand-in of a group as a function of log s by channel.
class StandIn {
 public:
  StandIn(const SiteProblem& problem, const SiteRows& rows)
      : rows_(rows), pivots_(problem.pivots), weight_(rows.energies()) {
    for (double& energy : weight_) energy = energy > 0 ? 1 / energy : 0;
  }

  /// Of the channels from `first` on; `gradient`, of as many, is replaced.
  double value(std::size_t first, std::span<const double> log_s, std::span<double> gradient) const {
    const std::size_t n = log_s.size();
    std::vector<float> s(n);
    double left = 0;
    for (std::size_t j = 0; j < n; ++j) {
      s[j] = static_cast<float>(std::exp(log_s[j]));
      left += pivots_[first + j] * std::exp(-2 * log_s[j]);
    }
    std::ranges::fill(gradient, 0.0);  // first that of the steps
    double steps = 0;
    for (const RowsTile& tile : rows_.tiles()) {
      const double weight = weight_[tile.layer];
      steps += weight * add_steps(tile, ranges_of(tile, first, n, s.data()), weight, gradient);
    }
    for (std::size_t j = 0; j < n; ++j) {
      gradient[j] = left * gradient[j] - 2 * steps * pivots_[first + j] * std::exp(-2 * log_s[j]);
    }
    return steps * left;
  }

 private:
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
  const std::vector<double>& pivots_;  // D, by column
  std::vector<double> weight_;         // of a layer's rows
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

/// Groups that have scales in common, each with its channels: they are searched together, and
/// nothing else is.
std::vector<std::vector<std::size_t>> linked_groups(const std::vector<std::uint32_t>& parameter,
                                                    std::size_t group_size) {
  std::vector<std::size_t> root(parameter.size() / group_size);
  for (std::size_t g = 0; g < root.size(); ++g) root[g] = g;
  const auto root_of = [&root](std::size_t g) {
    while (root[g] != g) g = root[g];
    return g;
  };
  std::vector<std::size_t> first_group(parameter.size(), root.size());
  for (std::size_t j = 0; j < parameter.size(); ++j) {
    std::size_t& first = first_group[parameter[j]];
    if (first == root.size()) first = j / group_size;
    const std::size_t a = root_of(first), b = root_of(j / group_size);
    root[std::max(a, b)] = std::min(a, b);
  }
  std::vector<std::vector<std::size_t>> linked(root.size());
  for (std::size_t g = 0; g < root.size(); ++g) linked[root_of(g)].push_back(g);
  std::erase_if(linked, [](const auto& groups) { return groups.empty(); });
  return linked;
}

/// What a search of some groups ends with.
struct Descent {
  double loss_of_identity = 0, loss = 0;
};

/// The least that Adam meets; writes log s of the groups' channels.
Descent descend(const StandIn& stand_in, const std::vector<std::size_t>& groups,
                std::size_t group_size, const std::vector<std::uint32_t>& parameter, double bound,
                std::vector<double>& log_s) {
  constexpr int kSteps = 100;
  std::map<std::uint32_t, std::size_t> index;  // of parameters among those of these groups
  for (const std::size_t g : groups) {
    for (std::size_t j = 0; j < group_size; ++j) {
      index.try_emplace(parameter[g * group_size + j], index.size());
    }
  }
  std::vector<double> p(index.size()), of_parameter(p.size()), best = p;
  std::vector<double> values(group_size), gradient(group_size);
  Adam adam(p.size(), bound);
  Descent out;
  for (int step = 0; step <= kSteps; ++step) {
    double loss = 0;
    std::ranges::fill(of_parameter, 0.0);
    for (const std::size_t g : groups) {
      const std::uint32_t* const which = parameter.data() + g * group_size;
      for (std::size_t j = 0; j < group_size; ++j) values[j] = p[index.at(which[j])];
      loss += stand_in.value(g * group_size, values, gradient);
      for (std::size_t j = 0; j < group_size; ++j) of_parameter[index.at(which[j])] += gradient[j];
    }
    if (step == 0) out.loss_of_identity = out.loss = loss;
    if (loss < out.loss) {
      out.loss = loss;
      best = p;
    }
    adam.step(of_parameter, p);
  }
  for (const std::size_t g : groups) {
    for (std::size_t j = g * group_size; j < (g + 1) * group_size; ++j) {
      log_s[j] = best[index.at(parameter[j])];
    }
  }
  return out;
}

}  // namespace

FoundScales search_smooth(const SiteProblem& problem, const SearchSettings& settings) {
  assert(problem.pivots.size() == problem.mean_abs.size());
  const SiteRows rows(problem, settings);
  const StandIn stand_in(problem, rows);
  const auto linked = linked_groups(problem.scale_of_channel, rows.group_size());
  std::vector<Descent> descents(linked.size());
  std::vector<double> log_s(rows.columns());
  parallel::parallel_for(linked.size(), settings.n_threads, [&](std::size_t i, int) {
    descents[i] = descend(stand_in, linked[i], rows.group_size(), problem.scale_of_channel,
                          std::log(settings.largest_ratio) / 2, log_s);
  });
  FoundScales found;
  for (const Descent& descent : descents) {
    found.loss_of_identity += descent.loss_of_identity;
    found.loss += descent.loss;
  }
  if (!(found.loss < found.loss_of_identity * (1 - settings.least_gain))) {
    found.loss = found.loss_of_identity;
    return found;
  }
  const auto [low, high] = std::ranges::minmax(log_s);
  for (const double value : log_s) {
    found.s.push_back(static_cast<float>(std::exp(value - (low + high) / 2)));
  }
  return found;
}

}  // namespace lq::awq
