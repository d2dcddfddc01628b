#include "common/linalg/product.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "common/linalg/onednn.h"
#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

// Large enough for the full rate of one core, small enough for many.
constexpr std::size_t kTileRows = 256, kTileColumns = 512, kGramTile = 256;

void multiply_reference(const Block& a, const Block& b, float* c, std::size_t c_stride, Into into) {
  std::vector<float> x(a.columns), w(a.columns);
  for (std::size_t i = 0; i < a.rows; ++i) {
    a.matrix->get(a.row + i, a.column, x);
    for (std::size_t j = 0; j < b.rows; ++j) {
      b.matrix->get(b.row + j, b.column, w);
      double sum = into == Into::kAdd ? c[i * c_stride + j] : 0.0;
      for (std::size_t k = 0; k < x.size(); ++k) sum += static_cast<double>(x[k]) * w[k];
      c[i * c_stride + j] = static_cast<float>(sum);
    }
  }
}

onednn::Factor factor_of(const Block& block) {
  const Matrix& matrix = *block.matrix;
  return {matrix.data() + block.row * matrix.row_bytes() + block.column * matrix.element_bytes(),
          block.rows, block.columns, matrix.columns()};
}

/// How many pieces of that size cover n, and the piece number i.
std::size_t pieces(std::size_t n, std::size_t size) { return (n + size - 1) / size; }
std::size_t piece_size(std::size_t n, std::size_t size, std::size_t i) {
  return std::min(size, n - i * size);
}

}  // namespace

void multiply_block(const Block& a, const Block& b, float* c, std::size_t c_stride, Into into) {
  assert(a.columns == b.columns && a.matrix->compute() == b.matrix->compute());
  if (a.rows == 0 || b.rows == 0) return;
  if (a.matrix->compute() == Compute::kReference) {
    multiply_reference(a, b, c, c_stride, into);
  } else {
    onednn::multiply(factor_of(a), factor_of(b), a.matrix->compute(), c, c_stride, into);
  }
}

void multiply(const Matrix& a, const Matrix& b, float* c, Into into, int n_threads) {
  const std::size_t across = pieces(b.rows(), kTileColumns);
  const auto one = [&](std::size_t tile, int) {
    const std::size_t row = tile / across, column = tile % across;
    const Block left(a, row * kTileRows, 0, piece_size(a.rows(), kTileRows, row), a.columns());
    const Block right(b, column * kTileColumns, 0, piece_size(b.rows(), kTileColumns, column),
                      b.columns());
    multiply_block(left, right, c + left.row * b.rows() + right.row, b.rows(), into);
  };
  parallel::parallel_for(pieces(a.rows(), kTileRows) * across, n_threads, one);
}

Matrix transposed(const Matrix& x, int n_threads) {
  Matrix result(x.columns(), x.rows(), x.compute());
  constexpr std::size_t kStrip = 64;
  parallel::parallel_for(pieces(x.columns(), kStrip), n_threads, [&](std::size_t strip, int) {
    const std::size_t first = strip * kStrip, n = piece_size(x.columns(), kStrip, strip);
    const std::size_t size = x.element_bytes();
    for (std::size_t row = 0; row < x.rows(); ++row) {
      const std::byte* from = x.data() + row * x.row_bytes() + first * size;
      std::byte* to = result.data() + first * result.row_bytes() + row * size;
      for (std::size_t i = 0; i < n; ++i) {
        std::copy_n(from + i * size, size, to + i * result.row_bytes());
      }
    }
  });
  return result;
}

void add_gram(const Matrix& x_transposed, float* g, int n_threads) {
  const std::size_t d = x_transposed.rows(), n = x_transposed.columns();
  std::vector<std::pair<std::size_t, std::size_t>> tiles;
  for (std::size_t i = 0; i < d; i += kGramTile) {
    for (std::size_t j = i; j < d; j += kGramTile) tiles.emplace_back(i, j);
  }
  parallel::parallel_for(tiles.size(), n_threads, [&](std::size_t tile, int) {
    const auto [i, j] = tiles[tile];
    const Block left(x_transposed, i, 0, std::min(kGramTile, d - i), n);
    const Block right(x_transposed, j, 0, std::min(kGramTile, d - j), n);
    multiply_block(left, right, g + i * d + j, d, Into::kAdd);
  });
}

void add_cross_gram(const Matrix& a_transposed, const Matrix& b_transposed, float* c,
                    int n_threads) {
  multiply(a_transposed, b_transposed, c, Into::kAdd, n_threads);
}

}  // namespace lq::linalg
