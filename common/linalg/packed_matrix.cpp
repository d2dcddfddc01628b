#include "common/linalg/packed_matrix.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "common/kernels/transpose.h"
#include "common/linalg/onednn.h"
#include "common/linalg/reference.h"
#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

std::size_t rounded_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

/// Brings [k, n] into the packed order; of the reference that is [n, k].
void pack(const onednn::Factor& transposed, Compute compute, std::byte* to) {
  if (compute != Compute::kReference) {
    onednn::pack(transposed, compute, to);
    return;
  }
  kernels::transpose(transposed.data, sizeof(float), transposed.rows, transposed.columns,
                     transposed.stride * sizeof(float), to, transposed.rows * sizeof(float));
}

std::size_t packed_bytes(std::size_t n, std::size_t k, Compute compute) {
  if (compute == Compute::kReference) return n * k * sizeof(float);
  std::size_t bytes = 0;
  parallel::parallel_for(1, 1,
                         [&](std::size_t, int) { bytes = onednn::packed_bytes(n, k, compute); });
  return bytes;
}

}  // namespace

PackedMatrix::PackedMatrix(std::size_t rows, std::size_t columns, Compute compute,
                           std::size_t unit) {
  reshape(rows, columns, compute, unit);
}

void PackedMatrix::reshape(std::size_t rows, std::size_t columns, Compute compute,
                           std::size_t unit) {
  rows_ = rows;
  columns_ = columns;
  compute_ = compute;
  tile_rows_ = unit * std::max<std::size_t>(1, kTileRows / unit);
  if (rows == 0 || columns == 0) return;
  constexpr std::size_t kLine = 64;
  tile_bytes_ = rounded_up(packed_bytes(std::min(rows, tile_rows_), columns, compute), kLine);
  const std::size_t last =
      rounded_up(packed_bytes(rows_of(n_tiles() - 1), columns, compute), kLine);
  const std::size_t total = (n_tiles() - 1) * tile_bytes_ + std::max(last, tile_bytes_);
  if (total > values_.capacity()) values_ = AlignedVector<std::byte>();  // nothing to copy
  values_.resize(total);
}

std::size_t PackedMatrix::rows_of(std::size_t tile) const {
  return std::min(tile_rows_, rows_ - first_row(tile));
}

void PackedMatrix::set_tile(std::size_t tile, const Matrix& values) {
  assert(values.rows() == rows_of(tile) && values.columns() == columns_);
  assert(values.compute() == compute_);
  const std::size_t n = values.rows();
  Matrix across(columns_, n, compute_);
  kernels::transpose(values.data(), values.element_bytes(), n, columns_, values.row_bytes(),
                     across.data(), across.row_bytes());
  pack({across.data(), columns_, n, n}, compute_, tile_data(tile));
}

void PackedMatrix::set_tile_from_columns(std::size_t tile, const Matrix& x) {
  assert(x.rows() == columns_ && x.columns() == rows_ && x.compute() == compute_);
  pack({x.at(0, first_row(tile)), columns_, rows_of(tile), x.columns()}, compute_, tile_data(tile));
}

void PackedMatrix::multiply_tile(const Matrix& a, std::size_t row, std::size_t n_rows,
                                 std::size_t tile, float* c) const {
  assert(a.columns() == columns_ && a.compute() == compute_ && row + n_rows <= a.rows());
  const std::byte* const data = values_.data() + tile * tile_bytes_;
  const std::size_t n = rows_of(tile);
  if (compute_ == Compute::kReference) {
    multiply_reference({a.at(row, 0), columns_, 1}, {data, columns_, 1}, {n_rows, n, columns_}, c,
                       n, Into::kReplace);
    return;
  }
  onednn::multiply({a.at(row, 0), n_rows, columns_, columns_}, {data, n, columns_, columns_},
                   onednn::Right::kPacked, compute_, c, n, Into::kReplace);
}

std::size_t PackedMatrix::bytes(std::size_t rows, std::size_t columns, Compute compute) {
  const std::size_t elements =
      rounded_up(rows, kTileRows) * rounded_up(columns, 64) * linalg::element_bytes(compute);
  return elements + (std::size_t{2} << 20);
}

PackedMatrix packed(const Matrix& matrix, int n_threads, std::size_t unit) {
  PackedMatrix result(matrix.rows(), matrix.columns(), matrix.compute(), unit);
  parallel::parallel_for(result.n_tiles(), n_threads, [&](std::size_t tile, int) {
    Matrix rows(result.rows_of(tile), matrix.columns(), matrix.compute());
    std::memcpy(rows.data(), matrix.at(result.first_row(tile), 0), rows.rows() * rows.row_bytes());
    result.set_tile(tile, rows);
  });
  return result;
}

}  // namespace lq::linalg
