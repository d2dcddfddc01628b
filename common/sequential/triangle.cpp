#include "common/sequential/triangle.h"

#include <algorithm>

#include "common/parallel/parallel_for.h"

namespace lq::sequential {

Triangle::Triangle(std::size_t n) : n_(n), values_(n * (n + 1) / 2, 0.0F) {}

void Triangle::add_square(const float* square, int n_threads) {
  parallel::parallel_for(n_, n_threads, [&](std::size_t i, int) {
    const float* const from = square + i * n_ + i;
    float* const to = values_.data() + offset(i);
    for (std::size_t j = 0; j < n_ - i; ++j) to[j] += from[j];
  });
}

/// use(i, j, value) for all i <= j, tile by tile: what lies across is in the cache then. A thread has
/// rows i, and columns of the other half, to itself.
template <class Use>
void Triangle::for_each(int n_threads, const Use& use) const {
  constexpr std::size_t kTile = 64;
  parallel::parallel_for((n_ + kTile - 1) / kTile, n_threads, [&](std::size_t tile, int) {
    const std::size_t first = tile * kTile, last = std::min(n_, first + kTile);
    for (std::size_t column = first; column < n_; column += kTile) {
      for (std::size_t i = first; i < last; ++i) {
        const float* const values = row(i);
        for (std::size_t j = std::max(i, column); j < std::min(n_, column + kTile); ++j) {
          use(i, j, values[j - i]);
        }
      }
    }
  });
}

void Triangle::add_to(float* square, int n_threads) const {
  for_each(n_threads, [&](std::size_t i, std::size_t j, float value) {
    square[i * n_ + j] += value;
    if (i != j) square[j * n_ + i] += value;
  });
}

void Triangle::add_to(linalg::Matrix& square, int n_threads) const {
  for_each(n_threads,
           [&](std::size_t i, std::size_t j, float value) { square.floats(j)[i] += value; });
}

std::uint64_t Triangle::bytes(std::size_t n) {
  return std::uint64_t{n} * (n + 1) / 2 * sizeof(float);
}

}  // namespace lq::sequential
