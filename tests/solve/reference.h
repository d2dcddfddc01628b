#pragma once
// The solver as its papers and headers write it down: float64, one row and one column at a time, with
// the inverse of H as GPTQ has it. Slow.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "common/solve/solve.h"
#include "common/tensor/convert.h"

namespace lq::testing {

using Rows = std::vector<std::vector<double>>;

/// H with 0.01 of its mean on the diagonal; dead columns get the mean.
inline Rows damped(Rows h, double share) {
  double sum = 0, n_alive = 0;
  for (std::size_t i = 0; i < h.size(); ++i) {
    sum += h[i][i];
    n_alive += h[i][i] > 0 ? 1 : 0;
  }
  const double mean = sum / n_alive;
  for (std::size_t i = 0; i < h.size(); ++i) {
    h[i][i] = h[i][i] > 0 ? h[i][i] + share * mean : mean;
  }
  return h;
}

/// L with L L^T = a.
inline Rows cholesky(const Rows& a) {
  Rows l(a.size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
    }
  }
  return l;
}

inline Rows inverse(const Rows& a) {
  const std::size_t n = a.size();
  const Rows l = cholesky(a);
  Rows x(n, std::vector<double>(n));
  for (std::size_t c = 0; c < n; ++c) {
    std::vector<double> y(n);
    for (std::size_t i = 0; i < n; ++i) {
      double sum = i == c ? 1.0 : 0.0;
      for (std::size_t k = 0; k < i; ++k) sum -= l[i][k] * y[k];
      y[i] = sum / l[i][i];
    }
    for (std::size_t i = n; i-- > 0;) {
      double sum = y[i];
      for (std::size_t k = i + 1; k < n; ++k) sum -= l[k][i] * x[k][c];
      x[i][c] = sum / l[i][i];
    }
  }
  return x;
}

/// The order of GPTQ's columns, by falling diagonal, and the lower Cholesky factor of H^-1 in it.
struct ReferenceFactor {
  std::vector<std::size_t> order;
  Rows lower;

  explicit ReferenceFactor(const Rows& h) : order(h.size()) {
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order,
                             [&](std::size_t a, std::size_t b) { return h[a][a] > h[b][b]; });
    Rows permuted(h.size(), std::vector<double>(h.size()));
    for (std::size_t i = 0; i < h.size(); ++i) {
      for (std::size_t j = 0; j < h.size(); ++j) permuted[i][j] = h[order[i]][order[j]];
    }
    lower = cholesky(inverse(permuted));
  }
};

struct ReferenceGrid {
  double scale = 0, zero = 0;
};

/// One row.
class ReferenceRow {
 public:
  ReferenceRow(std::vector<double> weights, const Rows& h, const solve::Settings& settings)
      : w_(std::move(weights)),
        h_(h),
        settings_(settings),
        top_((1 << settings.bits) - 1),
        group_(settings.group_size == 0 ? w_.size() : settings.group_size),
        q_(w_.size()),
        grids_(w_.size() / group_) {
    for (std::size_t g = 0; g < grids_.size(); ++g) grids_[g] = search(g);
  }

  void round() {
    for (std::size_t g = 0; g < grids_.size(); ++g) round_group(g);
  }

  void feed_back(const ReferenceFactor& factor) {
    const std::size_t n = w_.size();
    std::vector<double> w(n);
    for (std::size_t i = 0; i < n; ++i) w[i] = w_[factor.order[i]];
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t j = factor.order[i];
      q_[j] = nearest(w[i], grid(j));
      const double e = (w[i] - value(j)) / factor.lower[i][i];
      for (std::size_t k = i; k < n; ++k) w[k] -= e * factor.lower[k][i];
    }
  }

  void sweep() {
    for (std::size_t g = 0; g < grids_.size(); ++g) {
      refit(g);
      if (group_ > solve::kMaxGroup) break;
      descend(g * group_, group_);
    }
    if (group_ > solve::kMaxGroup) descend(0, w_.size());
  }

  /// Of shares of each group's range, one sign after the other, the one with the least loss.
  void clip() {
    for (std::size_t g = 0; g < grids_.size(); ++g) {
      ReferenceGrid best = grids_[g];
      double least = loss();
      const ReferenceGrid full = of_values(g);
      for (int i = 0; i < 11; ++i) {
        for (const double sign : {1.0, -1.0}) {
          if (sign < 0 && !(settings_.symmetric && settings_.negative_scales)) continue;
          grids_[g] = {stored(full.scale * sign * (1 - 0.05 * i)), full.zero};
          if (std::abs(grids_[g].scale) < 1e-7) continue;
          round_group(g);
          if (loss() < least) {
            least = loss();
            best = grids_[g];
          }
        }
      }
      grids_[g] = best;
      round_group(g);
    }
  }

  double loss() const {
    double sum = 0;
    for (std::size_t i = 0; i < w_.size(); ++i) sum += error(i) * gradient(i);
    return sum;
  }
  int code(std::size_t j) const { return static_cast<int>(q_[j]); }
  ReferenceGrid grid(std::size_t j) const { return grids_[j / group_]; }

 private:
  double value(std::size_t j) const { return (q_[j] - grid(j).zero) * grid(j).scale; }
  double error(std::size_t j) const { return w_[j] - value(j); }
  double gradient(std::size_t j) const {
    double sum = 0;
    for (std::size_t i = 0; i < w_.size(); ++i) sum += error(i) * h_[i][j];
    return sum;
  }
  double nearest(double w, ReferenceGrid grid) const {
    return std::clamp(std::nearbyint(w / grid.scale) + grid.zero, 0.0, double(top_));
  }
  double stored(double scale) const {
    const auto value = static_cast<float>(scale);
    return double{settings_.scale_type == tensor::DType::kF16
                      ? tensor::f16_to_f32(tensor::f32_to_f16(value))
                      : tensor::bf16_to_f32(tensor::f32_to_bf16(value))};
  }
  double middle() const { return (top_ + 1) / 2; }

  double weighted_error(std::size_t g, ReferenceGrid grid) const {
    double sum = 0;
    for (std::size_t j = g * group_; j < (g + 1) * group_; ++j) {
      const double e = w_[j] - (nearest(w_[j], grid) - grid.zero) * grid.scale;
      sum += h_[j][j] * e * e;
    }
    return sum;
  }

  ReferenceGrid of_range(double lo, double hi, double share, double sign) const {
    if (!settings_.symmetric) {
      const double scale = stored(std::max(share * (hi - lo) / top_, 1e-7));
      const double zero = std::nearbyint(-share * lo / scale);
      return {scale, std::clamp(zero, double(settings_.lowest_zero), double(top_))};
    }
    double scale = settings_.negative_scales ? sign * share * (-lo >= hi ? -lo : -hi) / middle()
                                             : 2 * share * std::max(-lo, hi) / top_;
    if (std::abs(scale) < 1e-7) scale = 1e-7;
    return {stored(scale), middle()};
  }

  /// Least squares for the grid: a, b, A, B, D as in grid_choice.h.
  ReferenceGrid best(double a, double b, double A, double B, double D, ReferenceGrid old) const {
    const bool any_sign = settings_.symmetric && settings_.negative_scales;
    ReferenceGrid found = old;
    double gain = -1;
    for (int z = settings_.symmetric ? int(middle()) : settings_.lowest_zero;
         z <= (settings_.symmetric ? int(middle()) : top_); ++z) {
      const double denominator = A - 2 * z * B + double(z) * z * D, numerator = a - z * b;
      if (!(denominator > 1e-9 * A) || !(any_sign || numerator > 0)) continue;
      if (numerator * numerator / denominator > gain) {
        gain = numerator * numerator / denominator;
        found = {numerator / denominator, double(z)};
      }
    }
    found.scale = stored(found.scale);
    return std::isfinite(found.scale) && std::abs(found.scale) >= 1e-7 ? found : old;
  }

  void round_group(std::size_t g) {
    for (std::size_t j = g * group_; j < (g + 1) * group_; ++j) q_[j] = nearest(w_[j], grid(j));
  }
  std::pair<double, double> ends(std::size_t g) const {
    double lo = 0, hi = 0;
    for (std::size_t j = g * group_; j < (g + 1) * group_; ++j) {
      lo = std::min(lo, w_[j]);
      hi = std::max(hi, w_[j]);
    }
    return {lo, hi};
  }
  ReferenceGrid of_values(std::size_t g) const {
    const auto [lo, hi] = ends(g);
    return of_range(lo, hi, 1, 1);
  }

  ReferenceGrid search(std::size_t g) const {
    const auto [lo, hi] = ends(g);
    ReferenceGrid found = of_range(lo, hi, 1, 1);
    if (!settings_.search_ranges) return found;
    double least = weighted_error(g, found);
    const auto consider = [&](ReferenceGrid grid) {
      const double error = weighted_error(g, grid);
      if (error < least) {
        least = error;
        found = grid;
      }
    };
    const double last = settings_.bits == 8   ? 0.6
                        : settings_.bits == 4 ? 0.5
                        : settings_.bits == 3 ? 0.4
                                              : 0.25;
    for (int i = 0; i < 40; ++i) {
      const double share = 1.05 - (1.05 - last) * i / 39;
      consider(of_range(lo, hi, share, 1));
      if (settings_.symmetric && settings_.negative_scales) consider(of_range(lo, hi, share, -1));
    }
    for (int round = 0; round < 2; ++round) {
      double a = 0, b = 0, A = 0, B = 0, D = 0;
      for (std::size_t j = g * group_; j < (g + 1) * group_; ++j) {
        const double d = h_[j][j], q = nearest(w_[j], found);
        a += d * q * w_[j];
        b += d * w_[j];
        A += d * q * q;
        B += d * q;
        D += d;
      }
      consider(best(a, b, A, B, D, found));
    }
    return found;
  }

  void refit(std::size_t g) {
    const std::size_t first = g * group_, last = first + group_;
    double a = 0, b = 0, A = 0, B = 0, D = 0;
    for (std::size_t j = first; j < last; ++j) {
      double h = gradient(j);  // then without the group's own values
      for (std::size_t i = first; i < last; ++i) {
        h += value(i) * h_[i][j];
        A += q_[i] * h_[i][j] * q_[j];
        B += q_[i] * h_[i][j];
        D += h_[i][j];
      }
      a += q_[j] * h;
      b += h;
    }
    const ReferenceGrid old = grids_[g], found = best(a, b, A, B, D, old);
    const auto loss_of = [&](ReferenceGrid grid) {
      const double z = grid.zero, s = grid.scale;
      return s * s * (A - 2 * z * B + z * z * D) - 2 * s * (a - z * b);
    };
    if (loss_of(found) < loss_of(old)) grids_[g] = found;
  }

  void descend(std::size_t first, std::size_t size) {
    for (std::size_t j = first; j < first + size; ++j) {
      q_[j] = nearest(value(j) + gradient(j) / h_[j][j], grid(j));
    }
  }

  std::vector<double> w_;
  const Rows& h_;
  const solve::Settings settings_;
  const int top_;
  const std::size_t group_;
  std::vector<double> q_;
  std::vector<ReferenceGrid> grids_;
};

}  // namespace lq::testing
