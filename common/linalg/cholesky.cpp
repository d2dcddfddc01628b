#include "common/linalg/cholesky.h"

#include <algorithm>
#include <atomic>
#include <cblas.h>
#include <fmt/format.h>
#include <lapacke.h>
#include <mutex>
#include <utility>
#include <vector>

#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

constexpr std::size_t kTile = 192;

/// The library may have been built with threads of its own: ours are enough.
void use_one_thread() {
  [[maybe_unused]] static const bool once = [] {
    openblas_set_num_threads(1);
    return true;
  }();
}

/// A build of the library without threads has no locks either: callers at the same time would get the
/// same work memory, and wrong results. They wait for one another there.
std::unique_lock<std::mutex> turn() {
  static std::mutex mutex;
  static const bool has_locks = openblas_get_parallel() != OPENBLAS_SEQUENTIAL;
  return has_locks ? std::unique_lock<std::mutex>() : std::unique_lock(mutex);
}

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
    const auto lock = turn();
    return LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', static_cast<int>(d.size), tile(d, d), stride()) ==
           0;
  }

  /// Tiles below the diagonal tile k, times the inverse of its transpose.
  void divide_panel(std::size_t k) {
    const Range d = range(k);
    parallel::parallel_for(n_tiles_ - k - 1, n_threads_, [&](std::size_t i, int) {
      const Range rows = range(k + 1 + i);
      const auto lock = turn();
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
      const auto lock = turn();
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

bool factor(SquareMatrix& a, int n_threads) {
  use_one_thread();
  return Factorization(a, n_threads).run();
}

void solve_rows(const SquareMatrix& l, double* rows, std::size_t n_rows) {
  use_one_thread();
  const int n = static_cast<int>(l.n());
  const auto lock = turn();
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
