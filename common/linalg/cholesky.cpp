#include "common/linalg/cholesky.h"

#include <algorithm>
#include <cassert>
#include <cblas.h>
#include <cmath>
#include <fmt/format.h>
#include <lapack.h>
#include <mutex>

#include "common/linalg/aligned.h"
#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

constexpr std::size_t kTile = 256;
// Of a product whose sum is float32.
constexpr std::size_t kTerms = 1024;

/// The library may have threads of its own: ours are enough. A build of it that knows no threads at
/// all cannot be called from several at once: there, calls come one at a time.
class BlasCall {
 public:
  BlasCall() {
    static const bool knows_threads = [] {
      openblas_set_num_threads(1);
      return openblas_get_parallel() != OPENBLAS_SEQUENTIAL;
    }();
    if (!knows_threads) lock_ = std::unique_lock(mutex());
  }

 private:
  static std::mutex& mutex() {
    static std::mutex mutex;
    return mutex;
  }
  std::unique_lock<std::mutex> lock_;
};

/// A range of rows or columns.
struct Range {
  std::size_t first, size;
};

/// Column of tiles after column of tiles: what the columns before it bring, then its own.
class Factorization {
 public:
  Factorization(Matrix& a, int n_threads)
      : a_(a), n_threads_(n_threads), n_tiles_((a.rows() + kTile - 1) / kTile) {}

  bool run() {
    for (std::size_t k = 0; k < n_tiles_; ++k) {
      subtract_products(k);
      if (!factor_diagonal(k)) return false;
      divide_below(k);
    }
    return true;
  }

 private:
  Range range(std::size_t tile) const {
    return {tile * kTile, std::min(kTile, a_.rows() - tile * kTile)};
  }
  float* tile(Range rows, Range columns) { return a_.floats(rows.first) + columns.first; }
  int stride() const { return static_cast<int>(a_.columns()); }

  /// From the diagonal tile k and those below it, the products of all tiles left of them.
  void subtract_products(std::size_t k) {
    if (k == 0) return;
    const Range columns = range(k);
    parallel::parallel_for(n_tiles_ - k, n_threads_, [&](std::size_t i, int) {
      thread_local AlignedVector<float> part;
      thread_local AlignedVector<double> sum;
      const Range rows = range(k + i);
      part.resize(kTile * kTile);
      sum.assign(rows.size * columns.size, 0.0);
      for (std::size_t term = 0; term < columns.first; term += kTerms) {
        const std::size_t n = std::min(kTerms, columns.first - term);
        multiply_block(Block(a_, rows.first, term, rows.size, n),
                       Block(a_, columns.first, term, columns.size, n), part.data(), columns.size,
                       Into::kReplace);
        for (std::size_t at = 0; at < sum.size(); ++at) sum[at] += double{part[at]};
      }
      for (std::size_t row = 0; row < rows.size; ++row) {
        float* const to = a_.floats(rows.first + row) + columns.first;
        const double* const from = sum.data() + row * columns.size;
        const std::size_t n = i == 0 ? row + 1 : columns.size;
        for (std::size_t j = 0; j < n; ++j) to[j] = static_cast<float>(double{to[j]} - from[j]);
      }
    });
  }

  bool factor_diagonal(std::size_t k) {
    const Range d = range(k);
    const BlasCall call;
    // LAPACK counts by columns: what is on and below our diagonal is above its own.
    const char upper = 'U';
    const int n = static_cast<int>(d.size), columns = stride();
    int failed = 0;
    LAPACK_spotrf(&upper, &n, tile(d, d), &columns, &failed);
    return failed == 0 && std::isfinite(a_.floats(d.first + d.size - 1)[d.first + d.size - 1]);
  }

  /// Tiles below the diagonal tile k, times the inverse of its transpose.
  void divide_below(std::size_t k) {
    const Range d = range(k);
    parallel::parallel_for(n_tiles_ - k - 1, n_threads_, [&](std::size_t i, int) {
      const Range rows = range(k + 1 + i);
      const BlasCall call;
      cblas_strsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit,
                  static_cast<int>(rows.size), static_cast<int>(d.size), 1.0F, tile(d, d), stride(),
                  tile(rows, d), stride());
    });
  }

  Matrix& a_;
  const int n_threads_;
  const std::size_t n_tiles_;
};

/// x L = b for each row, or x L^T = b.
void solve_side(const Matrix& l, CBLAS_TRANSPOSE side, CBLAS_DIAG diagonal, float* rows,
                std::size_t n_rows) {
  const int n = static_cast<int>(l.rows());
  cblas_strsm(CblasRowMajor, CblasRight, CblasLower, side, diagonal, static_cast<int>(n_rows), n,
              1.0F, l.floats(0), n, rows, n);
}

}  // namespace

bool factor(Matrix& a, int n_threads) {
  assert(a.rows() == a.columns() && a.compute() == Compute::kF32);
  return Factorization(a, n_threads).run();
}

void solve_rows(const Matrix& l, float* rows, std::size_t n_rows) {
  const BlasCall call;
  solve_side(l, CblasTrans, CblasNonUnit, rows, n_rows);
  solve_side(l, CblasNoTrans, CblasNonUnit, rows, n_rows);
}

void solve_rows(const Matrix& l, std::span<const float> pivots, float* rows, std::size_t n_rows) {
  const std::size_t n = pivots.size();
  assert(n == l.rows());
  const BlasCall call;
  solve_side(l, CblasNoTrans, CblasUnit, rows, n_rows);
  for (std::size_t i = 0; i < n_rows * n; ++i) rows[i] /= pivots[i % n];
  solve_side(l, CblasTrans, CblasUnit, rows, n_rows);
}

std::string blas_description() {
  const std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 DYNAMIC_ARCH ..."
  const std::string version = config.substr(0, config.find(' ', config.find(' ') + 1));
  return fmt::format("{} {}", version, openblas_get_corename());
}

}  // namespace lq::linalg
