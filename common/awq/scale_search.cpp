#include "common/awq/scale_search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/awq/site_rows.h"

namespace lq::awq {
namespace {

using linalg::Compute;

// Candidates that diag(H) leaves, and those of them that products in bfloat16 leave.
constexpr std::size_t kRanked = 16, kFinal = 3;

/// Mean of the channels that have one scale, at each of them.
std::vector<double> pooled(std::span<const double> values,
                           std::span<const std::uint32_t> scale_of_channel) {
  const std::size_t n = *std::ranges::max_element(scale_of_channel) + std::size_t{1};
  std::vector<double> sum(n), count(n);
  for (std::size_t j = 0; j < values.size(); ++j) {
    sum[scale_of_channel[j]] += values[j];
    count[scale_of_channel[j]] += 1;
  }
  std::vector<double> mean(values.size());
  for (std::size_t j = 0; j < values.size(); ++j) {
    mean[j] = sum[scale_of_channel[j]] / count[scale_of_channel[j]];
  }
  return mean;
}

/// Logarithms; of what is 0, which says nothing of a channel, the mean of the others.
std::vector<double> logs(std::span<const double> values) {
  std::vector<double> out(values.size());
  double sum = 0, n = 0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    if (!(values[j] > 0)) continue;
    out[j] = std::log(values[j]);
    sum += out[j];
    n += 1;
  }
  for (std::size_t j = 0; j < values.size(); ++j) {
    if (!(values[j] > 0)) out[j] = n > 0 ? sum / n : 0;
  }
  return out;
}

/// Every candidate within the bound, 1 everywhere first.
std::vector<std::vector<float>> candidates_of(const SiteProblem& problem, const SiteRows& rows,
                                              const SearchSettings& settings) {
  const std::vector<double> x = logs(pooled(problem.mean_abs, problem.scale_of_channel));
  std::vector<double> w = rows.mean_weights();
  for (double& mean : w) mean = std::log(mean + 1e-4);
  w = pooled(w, problem.scale_of_channel);
  std::vector<std::vector<float>> candidates = {std::vector<float>(x.size(), 1.0F)};
  const double step = 1.0 / std::max(settings.n_points - 1, 1);
  for (int i = 0; i < settings.n_points * settings.n_points; ++i) {
    if (i == 0) continue;  // 1 everywhere
    const double a = step * (i / settings.n_points), b = step * (i % settings.n_points);
    std::vector<double> log_s(x.size());
    for (std::size_t j = 0; j < x.size(); ++j) log_s[j] = a * x[j] - b * w[j];
    const auto [low, high] = std::ranges::minmax(log_s);
    if (!(high - low <= std::log(settings.largest_ratio))) continue;
    std::vector<float>& s = candidates.emplace_back(x.size());
    for (std::size_t j = 0; j < x.size(); ++j) {
      s[j] = static_cast<float>(std::exp(log_s[j] - (low + high) / 2));
    }
  }
  return candidates;
}

using Indices = std::vector<std::size_t>;

std::vector<std::vector<float>> picked(const std::vector<std::vector<float>>& candidates,
                                       const Indices& which) {
  std::vector<std::vector<float>> out;
  for (const std::size_t i : which) out.push_back(candidates[i]);
  return out;
}

/// The `n` of `which` with the least loss, the best first.
Indices least(const Indices& which, std::span<const double> losses, std::size_t n) {
  Indices order(which.size()), out;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return losses[i]; });
  for (std::size_t i = 0; i < std::min(n, order.size()); ++i) out.push_back(which[order[i]]);
  return out;
}

}  // namespace

std::vector<double> pivots_by_column(const solve::FactoredGram& h) {
  std::vector<double> left(h.n());
  for (std::size_t k = 0; k < left.size(); ++k) left[h.order()[k]] = double{h.pivots()[k]};
  return left;
}

FoundScales search_grid(const SiteProblem& problem, const SearchSettings& settings) {
  const SiteRows rows(problem, settings);
  const std::vector<std::vector<float>> candidates = candidates_of(problem, rows, settings);
  Indices which(candidates.size());
  std::iota(which.begin(), which.end(), std::size_t{0});
  if (!settings.every_candidate) {
    which = least(which, rows.losses_by_diagonal(candidates), kRanked);
    which = least(which, rows.losses(picked(candidates, which), Compute::kBf16), kFinal);
    std::erase(which, std::size_t{0});
    which.insert(which.begin(), 0);
  }
  const std::vector<double> losses = rows.losses(picked(candidates, which), Compute::kF32);
  const auto best = static_cast<std::size_t>(std::ranges::min_element(losses) - losses.begin());
  FoundScales found{{}, losses.front(), losses.front()};
  if (losses[best] < losses.front() * (1 - settings.least_gain)) {
    found.s = candidates[which[best]];
    found.loss = losses[best];
  }
  return found;
}

}  // namespace lq::awq
