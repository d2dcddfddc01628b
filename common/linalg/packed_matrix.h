#pragma once
// The right factor of many products, in the order that they read fastest. It is cut into tiles of
// rows, each packed for itself; a tile of a product has one of them as its columns.

#include <cstddef>

#include "common/linalg/matrix.h"

namespace lq::linalg {

/// [rows, columns] of which products a b^T take the transpose. Values that were never set are
/// arbitrary.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// Tiles have about kTileRows rows, always a multiple of `unit`: of rows that one tile must hold
  /// together.
  PackedMatrix(std::size_t rows, std::size_t columns, Compute compute, std::size_t unit = 1);

  /// Another shape in the same memory, which only grows.
  void reshape(std::size_t rows, std::size_t columns, Compute compute, std::size_t unit = 1);

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  Compute compute() const { return compute_; }
  std::size_t n_tiles() const { return (rows_ + tile_rows_ - 1) / tile_rows_; }
  std::size_t first_row(std::size_t tile) const { return tile * tile_rows_; }
  /// Rows of a tile: the same of all but the last.
  std::size_t rows_of(std::size_t tile) const;

  /// Takes a tile's rows [rows_of(tile), columns]. Different tiles may be set from different
  /// threads, in items of parallel_for.
  void set_tile(std::size_t tile, const Matrix& values);
  /// The same from the columns of a matrix [columns, rows].
  void set_tile_from_columns(std::size_t tile, const Matrix& x);

  /// c [n_rows, rows_of(tile)] = rows of `a`, from `row` on, times the tile, by the calling thread
  /// alone, in an item of parallel_for. REQUIRES: a.columns() == columns(), the same Compute.
  void multiply_tile(const Matrix& a, std::size_t row, std::size_t n_rows, std::size_t tile,
                     float* c) const;

  /// What a matrix of that shape takes, at most.
  static std::size_t bytes(std::size_t rows, std::size_t columns, Compute compute);

 private:
  static constexpr std::size_t kTileRows = 256;

  std::byte* tile_data(std::size_t tile) { return values_.data() + tile * tile_bytes_; }

  std::size_t rows_ = 0, columns_ = 0, tile_rows_ = kTileRows, tile_bytes_ = 0;
  Compute compute_ = Compute::kF32;
  AlignedVector<std::byte> values_;  // the last tile has room for as many rows as the others
};

/// A whole matrix, packed.
PackedMatrix packed(const Matrix& matrix, int n_threads, std::size_t unit = 1);

}  // namespace lq::linalg
