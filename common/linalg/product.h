#pragma once
// Products of matrices. Results do not depend on the number of threads: tiles are fixed, and each
// is computed by one thread.

#include <cstddef>
#include <cstdint>

#include "common/linalg/matrix.h"

namespace lq::linalg {

/// Whether what is in the result counts.
enum class Into : std::uint8_t { kReplace, kAdd };

/// A part of a matrix.
struct Block {
  const Matrix* matrix = nullptr;
  std::size_t row = 0, column = 0, rows = 0, columns = 0;

  Block(const Matrix& whole) : matrix(&whole), rows(whole.rows()), columns(whole.columns()) {}
  Block(const Matrix& whole, std::size_t first_row, std::size_t first_column, std::size_t n_rows,
        std::size_t n_columns)
      : matrix(&whole), row(first_row), column(first_column), rows(n_rows), columns(n_columns) {}
};

/// c [a.rows, b.rows] = a b^T, or added to it, by the calling thread alone; `c_stride` floats lie
/// between the beginnings of its rows. REQUIRES: equal columns, the same Compute.
void multiply_block(const Block& a, const Block& b, float* c, std::size_t c_stride, Into into);

/// The same for whole matrices, in tiles. c is [a.rows, b.rows] without gaps.
void multiply(const Matrix& a, const Matrix& b, float* c, Into into, int n_threads);

/// x [rows, columns] -> [columns, rows].
Matrix transposed(const Matrix& x, int n_threads);

/// Adds x^T x of x [n, d], given as its transpose [d, n], to g [d, d]. Only tiles that meet the
/// diagonal or lie above it are computed: every g[i][j] with i <= j is right, others may not be.
void add_gram(const Matrix& x_transposed, float* g, int n_threads);

/// Adds a^T b of a [n, d1] and b [n, d2], given as their transposes, to c [d1, d2], all of it.
/// REQUIRES: the same n, the same Compute.
void add_cross_gram(const Matrix& a_transposed, const Matrix& b_transposed, float* c,
                    int n_threads);

}  // namespace lq::linalg
