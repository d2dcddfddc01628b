#pragma once
// The Cholesky factor of a symmetric matrix, and triangular systems with it, in float64. Tiles are
// factored and multiplied by LAPACK and BLAS, each by one thread; which thread does a tile is of no
// effect on the result.

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/linalg/aligned.h"

namespace lq::linalg {

/// A square matrix of float64, row after row.
class SquareMatrix {
 public:
  explicit SquareMatrix(std::size_t n) : n_(n), values_(n * n) {}

  std::size_t n() const { return n_; }
  double* row(std::size_t i) { return values_.data() + i * n_; }
  const double* row(std::size_t i) const { return values_.data() + i * n_; }

  static std::uint64_t bytes(std::size_t n) { return std::uint64_t{n} * n * sizeof(double); }

 private:
  std::size_t n_;
  AlignedVector<double> values_;
};

/// Replaces the lower triangle of a symmetric matrix by L with L L^T = a; what lies above the
/// diagonal is neither read nor, outside of the tiles along the diagonal, changed. False where the
/// matrix is not positive definite in float64; its values are of no use then.
bool factor(SquareMatrix& a, int n_threads);

/// Replaces each row b of `rows` [n_rows, l.n()] by x with L L^T x = b, by the calling thread alone,
/// in an item of parallel_for.
void solve_rows(const SquareMatrix& l, double* rows, std::size_t n_rows);

/// Library and instruction set: "OpenBLAS 0.3.21 SkylakeX".
std::string blas_description();

}  // namespace lq::linalg
