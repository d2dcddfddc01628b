#include "common/solve/factored_gram.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "common/parallel/parallel_for.h"

namespace lq::solve {
namespace {

using linalg::Compute;

std::vector<std::uint32_t> counting(std::size_t n) {
  std::vector<std::uint32_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

}  // namespace

std::vector<double> diagonal_of(std::span<const float> gram, std::size_t n) {
  std::vector<double> diagonal(n);
  for (std::size_t i = 0; i < n; ++i) diagonal[i] = gram[i * n + i];
  return diagonal;
}

std::vector<std::uint32_t> by_importance(std::span<const double> diagonal) {
  std::vector<std::uint32_t> order = counting(diagonal.size());
  std::ranges::stable_sort(
      order, [&](std::uint32_t a, std::uint32_t b) { return diagonal[a] > diagonal[b]; });
  return order;
}

std::vector<double> damped_diagonal(std::span<const double> diagonal, const Damping& damping) {
  double sum = 0;
  std::size_t n_alive = 0;
  for (const double value : diagonal) {
    sum += value;
    if (value > 0) ++n_alive;
  }
  // A site that saw nothing: all columns count the same.
  const double mean = n_alive > 0 ? sum / static_cast<double>(n_alive) : 1.0;
  std::vector<double> damped(diagonal.begin(), diagonal.end());
  for (double& value : damped) {
    value = value > 0 ? value + damping.share * (damping.per_channel ? value : mean) : mean;
  }
  return damped;
}

FactoredGram::FactoredGram(std::span<const float> gram, std::size_t n, const Damping& damping,
                           bool places_by_importance, int n_threads) {
  assert(gram.size() == n * n);
  const std::vector<double> diagonal = diagonal_of(gram, n);
  n_dead_ = static_cast<std::size_t>(
      std::ranges::count_if(diagonal, [](double value) { return !(value > 0); }));
  columns_ = counting(n);
  if (!std::isfinite(std::accumulate(diagonal.begin(), diagonal.end(), 0.0))) return;
  std::vector<double> damped;
  for (double share = damping.share; !solvable_ && share <= std::max(1.0, damping.share);
       share = std::max(share, 1e-4) * 3) {
    damped = damped_diagonal(diagonal, {share, damping.per_channel});
    solution_ = by_importance(damped);
    damping_ = share;
    solvable_ = try_factor(gram, damped, n_threads);
  }
  if (!solvable_) return;
  is_permuted_ = places_by_importance;
  if (is_permuted_) {
    columns_ = solution_;
    order_ = counting(n);
  } else {
    order_ = solution_;
  }
  take_feedback(n_threads);
  damped_.reshape(n, n, Compute::kF32);
  parallel::parallel_for(n, n_threads, [&](std::size_t place, int) {
    const std::uint32_t column = columns_[place];
    float* const row = damped_.floats(place);
    for (std::size_t i = 0; i < n; ++i) row[i] = gram[column * n + columns_[i]];
    row[place] = static_cast<float>(damped[column]);
  });
}

bool FactoredGram::try_factor(std::span<const float> gram, std::span<const double> diagonal,
                              int n_threads) {
  const std::size_t n = diagonal.size();
  if (!factor_) factor_.emplace(n);
  parallel::parallel_for(n, n_threads, [&](std::size_t i, int) {
    const std::uint32_t column = solution_[n - 1 - i];
    double* const row = factor_->row(i);
    for (std::size_t j = 0; j < i; ++j) row[j] = gram[column * n + solution_[n - 1 - j]];
    row[i] = diagonal[column];
  });
  return linalg::factor(*factor_, n_threads);
}

/// With L of the reversed order, H = R R^T and R_ik = L[n-1-i][n-1-k]: R is F + 1 with its columns
/// scaled, R_kk^2 is D_k.
void FactoredGram::take_feedback(int n_threads) {
  const std::size_t n = solution_.size();
  pivots_.resize(n);
  feedback_.reshape(n, n, Compute::kF32);
  rounded_feedback_.reshape(n, n, Compute::kBf16);
  constexpr std::size_t kRows = 64;  // whose columns of L are read together
  parallel::parallel_for((n + kRows - 1) / kRows, n_threads, [&](std::size_t part, int) {
    const std::size_t first = part * kRows, last = std::min(n, first + kRows);
    for (std::size_t i = 0; i < last; ++i) {
      const double* const row = factor_->row(n - 1 - i);
      for (std::size_t k = std::max(first, i + 1); k < last; ++k) {
        const double* const diagonal = factor_->row(n - 1 - k) + (n - 1 - k);
        feedback_.floats(k)[i] = static_cast<float>(row[n - 1 - k] / *diagonal);
      }
    }
    for (std::size_t k = first; k < last; ++k) {
      const double diagonal = factor_->row(n - 1 - k)[n - 1 - k];
      pivots_[k] = static_cast<float>(diagonal * diagonal);
      round_feedback(k);
    }
  });
}

/// Row k of (F + 1)^T in bfloat16, whole.
void FactoredGram::round_feedback(std::size_t k) {
  std::vector<float> whole(columns_.size());
  std::copy_n(feedback_.floats(k), k, whole.begin());
  whole[k] = 1;
  rounded_feedback_.set_row(k, whole);
}

/// S^-1 (F + 1) D (F + 1)^T S^-1 = (F' + 1) D' (F' + 1)^T with F'_ik = F_ik s_k / s_i.
FactoredGram FactoredGram::divided_by(std::span<const float> s, int n_threads) const {
  const std::size_t n = columns_.size();
  assert(solvable_ && s.size() == n);
  FactoredGram out;
  out.columns_ = columns_;
  out.order_ = order_;
  out.solution_ = solution_;
  out.is_permuted_ = is_permuted_;
  out.solvable_ = true;
  out.damping_ = damping_;
  out.n_dead_ = n_dead_;
  out.pivots_.resize(n);
  out.damped_.reshape(n, n, Compute::kF32);
  out.feedback_.reshape(n, n, Compute::kF32);
  out.rounded_feedback_.reshape(n, n, Compute::kBf16);
  std::vector<float> by_step(n), by_place(n);
  for (std::size_t i = 0; i < n; ++i) {
    by_step[i] = s[solution_[i]];
    by_place[i] = s[columns_[i]];
  }
  parallel::parallel_for(n, n_threads, [&](std::size_t i, int) {
    const float* const h = damped_.floats(i);
    const float* const f = feedback_.floats(i);
    float* const out_h = out.damped_.floats(i);
    float* const out_f = out.feedback_.floats(i);
    for (std::size_t j = 0; j < n; ++j) out_h[j] = h[j] / by_place[i] / by_place[j];
    for (std::size_t j = 0; j < i; ++j) out_f[j] = f[j] * by_step[i] / by_step[j];
    out.pivots_[i] = pivots_[i] / by_step[i] / by_step[i];
    out.round_feedback(i);
  });
  return out;
}

void FactoredGram::divide(std::span<double> rows) const {
  const std::size_t n = solution_.size();
  assert(factor_ && rows.size() % n == 0);
  const auto turn = [&](bool there) {
    std::vector<double> turned(n);
    for (std::size_t first = 0; first < rows.size(); first += n) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t column = solution_[n - 1 - i];
        turned[there ? i : column] = rows[first + (there ? column : i)];
      }
      std::ranges::copy(turned, rows.begin() + static_cast<std::ptrdiff_t>(first));
    }
  };
  turn(true);
  linalg::solve_rows(*factor_, rows.data(), rows.size() / n);
  turn(false);
}

std::uint64_t FactoredGram::kept_bytes(std::size_t n) {
  return (2 * sizeof(float) + sizeof(std::uint16_t)) * std::uint64_t{n} * n;
}

std::uint64_t FactoredGram::peak_bytes(std::size_t n) {
  return kept_bytes(n) + linalg::SquareMatrix::bytes(n);
}

}  // namespace lq::solve
