#include "common/linalg/gram.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

#include "common/kernels/transpose.h"
#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

constexpr std::size_t kTileRows = 256;

/// x [rows, columns] -> out [columns, rows].
void transpose_into(const Matrix& x, Matrix& out, int n_threads) {
  out.reshape(x.columns(), x.rows(), x.compute());
  constexpr std::size_t kStrip = 128;
  const std::size_t n_strips = (x.columns() + kStrip - 1) / kStrip;
  parallel::parallel_for(n_strips, n_threads, [&](std::size_t strip, int) {
    const std::size_t first = strip * kStrip, n = std::min(kStrip, x.columns() - first);
    kernels::transpose(x.at(0, first), x.element_bytes(), x.rows(), n, x.row_bytes(),
                       out.at(first, 0), out.row_bytes());
  });
}

}  // namespace

void GramProducts::add(const Matrix& x, float* g) { add_tiles(x, x, g, true); }

void GramProducts::add_squares(const Matrix& x, std::size_t size, float* g) {
  if (x.rows() == 0) return;
  transpose_into(x, left_, n_threads_);
  const std::size_t d = x.columns();
  parallel::parallel_for((d + size - 1) / size, n_threads_, [&](std::size_t square, int) {
    const std::size_t first = square * size, n = std::min(size, d - first);
    const Block channels(left_, first, 0, n, x.rows());
    multiply_block(channels, channels, g + square * size * size, n, Into::kAdd);
  });
}

void GramProducts::add_cross(const Matrix& a, const Matrix& b, float* c) {
  add_tiles(a, b, c, false);
}

void GramProducts::add_tiles(const Matrix& a, const Matrix& b, float* c, bool symmetric) {
  assert(a.rows() == b.rows() && a.compute() == b.compute());
  if (a.rows() == 0) return;
  transpose_into(a, left_, n_threads_);
  right_.reshape(b.columns(), b.rows(), b.compute());
  parallel::parallel_for(right_.n_tiles(), n_threads_,
                         [&](std::size_t tile, int) { right_.set_tile_from_columns(tile, b); });
  std::vector<std::pair<std::size_t, std::size_t>>
      tiles;  // a row of the result, a tile of `right_`
  for (std::size_t tile = 0; tile < right_.n_tiles(); ++tile) {
    const std::size_t end = right_.first_row(tile) + right_.rows_of(tile);
    for (std::size_t row = 0; row < (symmetric ? end : a.columns()); row += kTileRows) {
      tiles.emplace_back(row, tile);
    }
  }
  parallel::parallel_for(tiles.size(), n_threads_, [&](std::size_t item, int) {
    thread_local AlignedVector<float> product;
    const auto [row, tile] = tiles[item];
    const std::size_t rows = std::min(kTileRows, a.columns() - row), n = right_.rows_of(tile);
    product.resize(std::max(product.size(), rows * n));
    right_.multiply_tile(left_, row, rows, tile, product.data());
    for (std::size_t i = 0; i < rows; ++i) {
      float* const to = c + (row + i) * b.columns() + right_.first_row(tile);
      for (std::size_t j = 0; j < n; ++j) to[j] += product[i * n + j];
    }
  });
}

std::size_t GramProducts::bytes(std::size_t n_tokens, std::size_t d, Compute compute,
                                int n_threads) {
  return d * n_tokens * element_bytes(compute) + PackedMatrix::bytes(d, n_tokens, compute) +
         static_cast<std::size_t>(n_threads) * tile_scratch_bytes(1, n_tokens, compute);
}

}  // namespace lq::linalg
