#pragma once
// Products of matrices. Results do not depend on the number of threads: tiles are fixed, and each
// is computed by one thread.

#include <cstddef>
#include <functional>
#include <span>

#include "common/linalg/matrix.h"
#include "common/linalg/onednn.h"
#include "common/linalg/packed_matrix.h"

namespace lq::linalg {

/// A part of a matrix.
struct Block {
  const Matrix* matrix = nullptr;
  std::size_t row = 0, column = 0, rows = 0, columns = 0;

  Block(const Matrix& whole) : matrix(&whole), rows(whole.rows()), columns(whole.columns()) {}
  Block(const Matrix& whole, std::size_t first_row, std::size_t first_column, std::size_t n_rows,
        std::size_t n_columns)
      : matrix(&whole), row(first_row), column(first_column), rows(n_rows), columns(n_columns) {}
};

/// c [a.rows, b.rows] = a b^T, or added to it, by the calling thread alone, in an item of
/// parallel_for; `c_stride` floats lie between the beginnings of its rows. Fastest where rows have
/// no gaps between them. REQUIRES: equal columns, the same Compute.
void multiply_block(const Block& a, const Block& b, float* c, std::size_t c_stride, Into into);
/// The same for c [a.rows, b.columns] = a b: each row of `a` weighs the rows of `b`.
/// REQUIRES: a.columns == b.rows, the same Compute.
void weigh_rows(const Block& a, const Block& b, float* c, std::size_t c_stride, Into into);

/// c = a b without gaps between its rows, in parts of one number of terms: the library prepares each
/// number anew, and so much of `b` stays in the cache. REQUIRES: as weigh_rows().
void weigh_rows_in_parts(const Block& a, const Block& b, float* c);

/// A part of one or several products of the same left factor, while it is in the cache.
struct Tile {
  std::size_t row = 0, column = 0;  // its first
  std::size_t rows = 0, columns = 0;
  std::span<float* const> values;  // of each product, [rows, columns] without gaps; may be changed

  float* line(std::size_t product, std::size_t i) const { return values[product] + i * columns; }
};

/// Computes a b^T for each `b` and gives each tile to `use`, from any thread. REQUIRES: the `b` have
/// one shape and one unit, a.columns() is theirs, the same Compute.
void multiply_tiles(const Matrix& a, std::span<const PackedMatrix* const> b, int n_threads,
                    const std::function<void(const Tile&)>& use);

/// c [a.rows, b.rows] = a b^T, or added to it, without gaps.
void multiply(const Matrix& a, const PackedMatrix& b, float* c, Into into, int n_threads);

/// What each thread keeps, at most, for tiles of `n_products` at once over `terms` terms, and the
/// library for its own.
std::size_t tile_scratch_bytes(std::size_t n_products, std::size_t terms, Compute compute);

}  // namespace lq::linalg
