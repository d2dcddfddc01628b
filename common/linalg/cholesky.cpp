#include "common/linalg/cholesky.h"

#include <algorithm>
#include <cblas.h>
#include <cmath>
#include <fmt/format.h>
#include <lapack.h>
#include <mutex>
#include <utility>
#include <vector>

#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

constexpr std::size_t kTile = 192;

/// The library may have threads of its own: ours are enough. A build of it that knows no threads at
/// all cannot be called from several at once: there, calls come one at a time.
class Library {
 public:
  Library() {
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

class Factorization {
 public:
  Factorization(SquareMatrix& a, int n_threads)
      : a_(a), n_threads_(n_threads), n_tiles_((a.n() + kTile - 1) / kTile) {}

  bool run() {
    for (std::size_t k = 0; k < n_tiles_; ++k) {
      if (!factor_diagonal(k)) return false;
      divide_panel(k);
      subtract_panel(k);
    }
    return true;
  }

 private:
  Range range(std::size_t tile) const {
    return {tile * kTile, std::min(kTile, a_.n() - tile * kTile)};
  }
  double* tile(Range rows, Range columns) { return a_.row(rows.first) + columns.first; }
  int stride() const { return static_cast<int>(a_.n()); }

  bool factor_diagonal(std::size_t k) {
    const Range d = range(k);
    const Library library;
    // LAPACK counts by columns: what is on and below our diagonal is above its own.
    const char upper = 'U';
    const int n = static_cast<int>(d.size), columns = stride();
    int failed = 0;
    LAPACK_dpotrf(&upper, &n, tile(d, d), &columns, &failed);
    return failed == 0 && std::isfinite(tile(d, d)[(d.size - 1) * a_.n() + d.size - 1]);
  }

  /// Tiles below the diagonal tile k, times the inverse of its transpose.
  void divide_panel(std::size_t k) {
    const Range d = range(k);
    parallel::parallel_for(n_tiles_ - k - 1, n_threads_, [&](std::size_t i, int) {
      const Range rows = range(k + 1 + i);
      const Library library;
      cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit,
                  static_cast<int>(rows.size), static_cast<int>(d.size), 1.0, tile(d, d), stride(),
                  tile(rows, d), stride());
    });
  }

  /// The products of panel k from all that lies right of it, on and below the diagonal.
  void subtract_panel(std::size_t k) {
    std::vector<std::pair<std::size_t, std::size_t>> targets;
    for (std::size_t i = k + 1; i < n_tiles_; ++i) {
      for (std::size_t j = k + 1; j <= i; ++j) targets.emplace_back(i, j);
    }
    const Range d = range(k);
    parallel::parallel_for(targets.size(), n_threads_, [&](std::size_t t, int) {
      const Range rows = range(targets[t].first), columns = range(targets[t].second);
      const Library library;
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(rows.size),
                  static_cast<int>(columns.size), static_cast<int>(d.size), -1.0, tile(rows, d),
                  stride(), tile(columns, d), stride(), 1.0, tile(rows, columns), stride());
    });
  }

  SquareMatrix& a_;
  const int n_threads_;
  const std::size_t n_tiles_;
};

}  // namespace

bool factor(SquareMatrix& a, int n_threads) { return Factorization(a, n_threads).run(); }

void solve_rows(const SquareMatrix& l, double* rows, std::size_t n_rows) {
  const Library library;
  const int n = static_cast<int>(l.n());
  for (const CBLAS_TRANSPOSE side : {CblasTrans, CblasNoTrans}) {
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, side, CblasNonUnit, static_cast<int>(n_rows),
                n, 1.0, l.row(0), n, rows, n);
  }
}

std::string blas_description() {
  const std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 DYNAMIC_ARCH ..."
  const std::string version = config.substr(0, config.find(' ', config.find(' ') + 1));
  return fmt::format("{} {}", version, openblas_get_corename());
}

}  // namespace lq::linalg
