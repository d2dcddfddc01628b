#include "common/solve/factored_gram.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "common/linalg/cholesky.h"
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

FactoredGram::FactoredGram(linalg::AlignedVector<float> values, std::size_t n,
                           const Damping& damping, bool places_by_importance, int n_threads) {
  const std::vector<double> diagonal = diagonal_of(values, n);
  linalg::Matrix gram(n, n, std::move(values));
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
  take_damped(std::move(gram), damped, n_threads);
}

/// The factor L of H in the reverse order of the solution, where feedback_ will be.
bool FactoredGram::try_factor(const linalg::Matrix& gram, std::span<const double> diagonal,
                              int n_threads) {
  const std::size_t n = diagonal.size();
  feedback_.reshape(n, n, Compute::kF32);
  parallel::parallel_for(n, n_threads, [&](std::size_t i, int) {
    const std::uint32_t column = solution_[n - 1 - i];
    const float* const from = gram.floats(column);
    float* const row = feedback_.floats(i);
    for (std::size_t j = 0; j < i; ++j) row[j] = from[solution_[n - 1 - j]];
    row[i] = static_cast<float>(diagonal[column]);
  });
  return linalg::factor(feedback_, n_threads);
}

/// H = R R^T with R_ik = L[n-1-i][n-1-k]: R is F + 1 with its columns scaled, R_kk^2 is D_k. Row k of
/// F^T is so a column of L from its end, and the other way round: they change places.
void FactoredGram::take_feedback(int n_threads) {
  const std::size_t n = solution_.size();
  std::vector<float> inverse(n);  // of R_kk
  pivots_.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    const float r = feedback_.floats(n - 1 - k)[n - 1 - k];
    pivots_[k] = r * r;
    inverse[k] = 1 / r;
  }
  rounded_feedback_.reshape(n, n, Compute::kBf16);
  constexpr std::size_t kRows = 64;  // whose partners are in the cache together
  parallel::parallel_for((n + kRows - 1) / kRows, n_threads, [&](std::size_t part, int) {
    const std::size_t first = part * kRows, last = std::min(n, first + kRows);
    for (std::size_t column = 0; column < last; column += kRows) {
      for (std::size_t k = first; k < last; ++k) {
        float* const row = feedback_.floats(k);
        const std::size_t end = std::min({column + kRows, k, n - 1 - k});
        for (std::size_t i = column; i < end; ++i) {
          float& partner = feedback_.floats(n - 1 - i)[n - 1 - k];
          const float value = row[i];
          row[i] = partner * inverse[k];
          partner = value * inverse[n - 1 - i];
        }
      }
    }
  });
  parallel::parallel_for(n, n_threads, [&](std::size_t k, int) {
    // An element that is its own partner.
    if (n - 1 - k < k) feedback_.floats(k)[n - 1 - k] *= inverse[k];
    round_feedback(k);
  });
}

/// H by places.
void FactoredGram::take_damped(linalg::Matrix gram, std::span<const double> diagonal,
                               int n_threads) {
  const std::size_t n = diagonal.size();
  if (is_permuted_) {
    damped_.reshape(n, n, Compute::kF32);
    parallel::parallel_for(n, n_threads, [&](std::size_t place, int) {
      const float* const from = gram.floats(columns_[place]);
      float* const row = damped_.floats(place);
      for (std::size_t i = 0; i < n; ++i) row[i] = from[columns_[i]];
    });
  } else {
    damped_ = std::move(gram);
  }
  for (std::size_t place = 0; place < n; ++place) {
    damped_.floats(place)[place] = static_cast<float>(diagonal[columns_[place]]);
  }
}

/// Row k of (F + 1)^T in bfloat16.
void FactoredGram::round_feedback(std::size_t k) {
  const std::size_t end = (k / kRoundedBlock + 1) * kRoundedBlock;
  std::vector<float> row(std::min(end, columns_.size()));
  std::copy_n(feedback_.floats(k), k, row.begin());
  row[k] = 1;
  rounded_feedback_.set(k, 0, row);
}

void FactoredGram::divide(std::span<float> rows) const {
  const std::size_t n = solution_.size();
  assert(solvable_ && rows.size() % n == 0);
  const auto turn = [&](bool there) {
    std::vector<float> turned(n);
    for (std::size_t first = 0; first < rows.size(); first += n) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t column = solution_[i];
        turned[there ? i : column] = rows[first + (there ? column : i)];
      }
      std::ranges::copy(turned, rows.begin() + static_cast<std::ptrdiff_t>(first));
    }
  };
  turn(true);
  linalg::solve_rows(feedback_, pivots_, rows.data(), rows.size() / n);
  turn(false);
}

std::uint64_t FactoredGram::bytes(std::size_t n, bool places_by_importance) {
  const std::size_t n_floats = places_by_importance ? 3 : 2;
  return (n_floats * sizeof(float) + sizeof(std::uint16_t)) * std::uint64_t{n} * n;
}

}  // namespace lq::solve
