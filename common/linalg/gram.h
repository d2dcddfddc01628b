#pragma once
// Products over the tokens: x^T x of the inputs of a linear layer, and a^T b of two inputs.

#include <cstddef>

#include "common/linalg/matrix.h"
#include "common/linalg/packed_matrix.h"

namespace lq::linalg {

/// Adds such products up; keeps memory of bytes() from one call to the next. Results do not depend
/// on the number of threads.
class GramProducts {
 public:
  explicit GramProducts(int n_threads) : n_threads_(n_threads) {}

  /// g [d, d] += x^T x of x [n, d]. Only tiles that meet the diagonal or lie above it are computed:
  /// every g[i][j] with i <= j is right, others may not be.
  void add(const Matrix& x, float* g);
  /// The same for squares of `size` channels along the diagonal alone, the last may be smaller:
  /// g has one after the other, each row after row without gaps, and both triangles.
  void add_squares(const Matrix& x, std::size_t size, float* g);
  /// c [d1, d2] += a^T b of a [n, d1] and b [n, d2], all of it. REQUIRES: the same n and Compute.
  void add_cross(const Matrix& a, const Matrix& b, float* c);

  /// What calls with so many tokens take, at most, d being the largest of the widths.
  static std::size_t bytes(std::size_t n_tokens, std::size_t d, Compute compute, int n_threads);

 private:
  void add_tiles(const Matrix& a, const Matrix& b, float* c, bool symmetric);

  const int n_threads_;
  Matrix left_;         // [d1, n]
  PackedMatrix right_;  // [d2, n]
};

}  // namespace lq::linalg
