#pragma once
// The Cholesky factor of a symmetric matrix, and triangular systems with it. Products are float32,
// and so are what is kept and the systems of a tile; sums over products are float64 from part to
// part, so that the factor is that of a matrix which differs by a few float32 roundings of
// sqrt(a_ii a_jj). Which thread does a tile is of no effect on the result.

#include <cstddef>
#include <span>
#include <string>

#include "common/linalg/matrix.h"

namespace lq::linalg {

/// Replaces the lower triangle of a symmetric matrix [n, n] of float32 by L with L L^T = a; what lies
/// above the diagonal is neither read nor, outside of the tiles along the diagonal, changed. False
/// where the matrix is not positive definite in this arithmetic; its values are of no use then.
bool factor(Matrix& a, int n_threads);

/// Replaces each row b of `rows` [n_rows, n] by x with L L^T x = b, by the calling thread alone, in an
/// item of parallel_for. `l` [n, n] of float32: what lies above its diagonal is not read.
void solve_rows(const Matrix& l, float* rows, std::size_t n_rows);
/// The same with L^T D L x = b, L with ones on its diagonal, whatever is stored there, and D the
/// `pivots` [n] as a diagonal.
void solve_rows(const Matrix& l, std::span<const float> pivots, float* rows, std::size_t n_rows);

/// Library and instruction set: "OpenBLAS 0.3.21 SkylakeX".
std::string blas_description();

}  // namespace lq::linalg
