#include "common/linalg/product.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "common/linalg/reference.h"
#include "common/parallel/parallel_for.h"

namespace lq::linalg {
namespace {

// Large enough for the full rate of one core, small enough that the result stays in its cache.
constexpr std::size_t kTileRows = 256;

onednn::Factor factor_of(const Block& block) {
  return {block.matrix->at(block.row, block.column), block.rows, block.columns,
          block.matrix->columns()};
}

ReferenceFactor by_rows(const Block& block) {
  return {block.matrix->at(block.row, block.column), block.matrix->columns(), 1};
}
ReferenceFactor by_columns(const Block& block) {
  return {block.matrix->at(block.row, block.column), 1, block.matrix->columns()};
}

}  // namespace

void multiply_block(const Block& a, const Block& b, float* c, std::size_t c_stride, Into into) {
  assert(a.columns == b.columns && a.matrix->compute() == b.matrix->compute());
  if (a.rows == 0 || b.rows == 0) return;
  const Compute compute = a.matrix->compute();
  if (compute == Compute::kReference) {
    multiply_reference(by_rows(a), by_rows(b), {a.rows, b.rows, a.columns}, c, c_stride, into);
  } else {
    onednn::multiply(factor_of(a), factor_of(b), onednn::Right::kRows, compute, c, c_stride, into);
  }
}

void weigh_rows(const Block& a, const Block& b, float* c, std::size_t c_stride, Into into) {
  assert(a.columns == b.rows && a.matrix->compute() == b.matrix->compute());
  if (a.rows == 0 || b.columns == 0) return;
  const Compute compute = a.matrix->compute();
  if (compute == Compute::kReference) {
    multiply_reference(by_rows(a), by_columns(b), {a.rows, b.columns, a.columns}, c, c_stride,
                       into);
  } else {
    onednn::multiply(factor_of(a), factor_of(b), onednn::Right::kColumns, compute, c, c_stride,
                     into);
  }
}

void weigh_rows_in_parts(const Block& a, const Block& b, float* c) {
  constexpr std::size_t kTerms = 1024;
  std::fill_n(c, a.rows * b.columns, 0.0F);
  for (std::size_t term = 0; term < a.columns; term += kTerms) {
    const std::size_t n = std::min(kTerms, a.columns - term);
    weigh_rows(Block(*a.matrix, a.row, a.column + term, a.rows, n),
               Block(*b.matrix, b.row + term, b.column, n, b.columns), c, b.columns, Into::kAdd);
  }
}

void multiply_tiles(const Matrix& a, std::span<const PackedMatrix* const> b, int n_threads,
                    const std::function<void(const Tile&)>& use) {
  const PackedMatrix& first = *b.front();
  const std::size_t down = (a.rows() + kTileRows - 1) / kTileRows;
  // Neighbours share the columns: the packed tile is the side that is read from memory once.
  parallel::parallel_for(first.n_tiles() * down, n_threads, [&](std::size_t item, int) {
    thread_local AlignedVector<float> scratch;
    thread_local std::vector<float*> values;
    const std::size_t column = item / down, row = item % down * kTileRows;
    const std::size_t rows = std::min(kTileRows, a.rows() - row);
    const std::size_t elements = rows * first.rows_of(column);
    scratch.resize(std::max(scratch.size(), b.size() * elements));
    values.clear();
    for (std::size_t i = 0; i < b.size(); ++i) {
      assert(b[i]->rows() == first.rows() && b[i]->rows_of(column) == first.rows_of(column));
      values.push_back(scratch.data() + i * elements);
      b[i]->multiply_tile(a, row, rows, column, values.back());
    }
    use({row, first.first_row(column), rows, first.rows_of(column), values});
  });
}

void multiply(const Matrix& a, const PackedMatrix& b, float* c, Into into, int n_threads) {
  const PackedMatrix* const factors[] = {&b};
  multiply_tiles(a, factors, n_threads, [&](const Tile& tile) {
    for (std::size_t i = 0; i < tile.rows; ++i) {
      const float* const from = tile.line(0, i);
      float* const to = c + (tile.row + i) * b.rows() + tile.column;
      if (into == Into::kReplace) {
        std::copy_n(from, tile.columns, to);
      } else {
        for (std::size_t j = 0; j < tile.columns; ++j) to[j] += from[j];
      }
    }
  });
}

std::size_t tile_scratch_bytes(std::size_t n_products, std::size_t terms, Compute compute) {
  constexpr std::size_t kWidest = 512;  // columns of a tile whose unit is large
  return n_products * kTileRows * kWidest * sizeof(float) +
         onednn::scratch_bytes(kTileRows, kWidest, terms, compute);
}

}  // namespace lq::linalg
