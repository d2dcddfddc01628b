#pragma once
// Random linear layers that read one site, and the tokens themselves.

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "common/awq/scale_search.h"

namespace lq::testing {

struct RandomSite {
  std::size_t columns;
  std::vector<std::size_t> rows;
  std::vector<std::vector<double>> tokens;  // [n][columns]
  std::vector<float> weights;
  linalg::AlignedVector<float> gram;
  std::vector<double> mean_abs;
  std::vector<std::uint32_t> scale_of_channel;
  double damping;

  /// Channels whose size is the exponential of `spread` times a normal number, related to each
  /// other; a weight follows the size of its channel the other way, less than it should.
  RandomSite(std::vector<std::size_t> layer_rows, std::size_t n_columns, double spread,
             unsigned seed, double share = 0.01)
      : columns(n_columns),
        rows(std::move(layer_rows)),
        gram(columns * columns, 0.0F),
        mean_abs(columns),
        damping(share) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> size(columns);
    for (double& s : size) s = std::exp(spread * normal(random));
    for (std::size_t t = 0; t < 2 * columns; ++t) {
      double common = 0;
      std::vector<double>& x = tokens.emplace_back(columns);
      for (std::size_t j = 0; j < columns; ++j) {
        common = 0.5 * common + normal(random);
        x[j] = common * size[j];
        mean_abs[j] += std::abs(x[j]) / static_cast<double>(2 * columns);
      }
    }
    std::vector<double> sum(columns * columns);
    for (const std::vector<double>& x : tokens) {
      for (std::size_t i = 0; i < columns; ++i) {
        for (std::size_t j = 0; j < columns; ++j) sum[i * columns + j] += x[i] * x[j];
      }
    }
    for (std::size_t i = 0; i < sum.size(); ++i) gram[i] = static_cast<float>(sum[i]);
    std::student_t_distribution<double> tails(5);
    double layer_size = 0.02;
    for (const std::size_t n : rows) {
      for (std::size_t i = 0; i < n * columns; ++i) {
        weights.push_back(
            static_cast<float>(layer_size * tails(random) / std::pow(size[i % columns], 0.3)));
      }
      layer_size *= 3;  // layers that weigh unlike if their outputs were not set in relation
    }
    for (std::size_t j = 0; j < columns; ++j) {
      scale_of_channel.push_back(static_cast<std::uint32_t>(j));
    }
  }

  solve::FactoredGram factored() const { return {gram, columns, {damping}, false, 2}; }
  awq::SiteProblem problem(const solve::FactoredGram& h) const {
    return {h.damped(),
            awq::pivots_by_column(h),
            mean_abs,
            scale_of_channel,
            rows,
            [this](std::size_t first, std::size_t n, float* out) {
              std::copy_n(weights.data() + first * columns, n * columns, out);
            }};
  }
};

}  // namespace lq::testing
