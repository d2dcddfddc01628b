// The steps of plain rounding.

#include <algorithm>
#include <array>
#include <cmath>

#include "common/linalg/product.h"
#include "common/solve/row_tile.h"
#include "common/tensor/convert.h"

namespace lq::solve {
namespace {

using kernels::RowGrids;
using linalg::Block;

// Shares of the values' range that are tried: 1, 0.95, ... 0.5.
constexpr int kShares = 11;
constexpr float kShareStep = 0.05F;
// As in the range search: smaller scales are of no use.
constexpr float kLeastScale = 1e-7F;

using Floats = Lanes<float>;

float stored(float scale, tensor::DType type) {
  return type == tensor::DType::kF16 ? tensor::f16_to_f32(tensor::f32_to_f16(scale))
                                     : tensor::bf16_to_f32(tensor::f32_to_bf16(scale));
}

/// The grids of a share of the range that `full` spans. The zero stays: it divides the range by a
/// part that shrinks with it. Rows whose scale gets too small keep `old`.
void shrink(const Floats& full, const Floats& zero, float share, tensor::DType type,
            const Floats& old, const Floats& old_zero, Floats& tried, Floats& tried_zero) {
  for (std::size_t r = 0; r < kTileRows; ++r) {
    const float scale = stored(full[r] * share, type);
    const bool usable = std::abs(scale) >= kLeastScale;
    tried[r] = usable ? scale : old[r];
    tried_zero[r] = usable ? zero[r] : old_zero[r];
  }
}

}  // namespace

void RowTile::round_and_measure(const Problem& problem, Outcome& outcome) {
  error_.reshape(problem.columns, kTileRows, linalg::Compute::kF32);
  fed_.reshape(problem.columns, 2 * kTileRows, linalg::Compute::kF32);  // E^T and the weights
  Floats values;
  for (std::size_t place = 0; place < problem.columns; ++place) {
    float* const row = fed_.floats(place);
    kernels::round_to_grid(weights(place), grids(problem, place / problem.group_size), codes(place),
                           values.data(), kTileRows);
    for (std::size_t r = 0; r < kTileRows; ++r) row[r] = weights(place)[r] - values[r];
    std::copy_n(row, kTileRows, error(place));
    std::copy_n(weights(place), kTileRows, row + kTileRows);
  }
  std::ranges::fill(error_of_row_, 0.0);
  std::array<double, kTileRows> energy{};
  for (std::size_t first = 0; first < problem.columns; first += kColumnBlock) {
    const std::size_t n = std::min(kColumnBlock, problem.columns - first);
    linalg::weigh_rows_in_parts(Block(problem.h->damped(), first, 0, n, problem.columns), fed_,
                                products_.data());
    for (std::size_t j = 0; j < n; ++j) {
      const float* const row = fed_.floats(first + j);
      const float* const product = products_.data() + j * 2 * kTileRows;
      for (std::size_t r = 0; r < kTileRows; ++r) {
        error_of_row_[r] += double{row[r]} * double{product[r]};
        energy[r] += double{row[kTileRows + r]} * double{product[kTileRows + r]};
      }
    }
  }
  for (std::size_t r = 0; r < n_rows_; ++r) {
    outcome.rounded_error += error_of_row_[r];
    outcome.energy += energy[r];
  }
}

void RowTile::clip_ranges(const Problem& problem) {
  std::ranges::fill(gain_, 0.0F);
  for (std::size_t block = 0; block < problem.columns; block += kColumnBlock) {
    for_groups(problem, block, std::min(kColumnBlock, problem.columns - block),
               [&](std::size_t first, std::size_t size) {
                 clip_group(problem, {block, first, size});
               });
  }
  for (std::size_t r = 0; r < kTileRows; ++r) error_of_row_[r] -= double{gain_[r]};
}

void RowTile::clip_group(const Problem& problem, const GroupPlace& at) {
  const std::size_t place = at.block + at.first, group = place / problem.group_size;
  const kernels::GridRules& rules = problem.rules;
  float* const scale = scales_.data() + group * kTileRows;
  float* const zero = zeros_.data() + group * kTileRows;
  Floats old_scale, old_zero, full, full_zero, tried, tried_zero, fall, best{};
  std::copy_n(scale, kTileRows, old_scale.begin());
  std::copy_n(zero, kTileRows, old_zero.begin());
  kernels::search_ranges(weights(place), kTileRows, problem.importance.data() + place, at.size,
                         rules, {.n_steps = 0, .n_polish = 0}, full.data(), full_zero.data(),
                         kTileRows);
  const int n_signs = rules.symmetric && rules.negative_scales ? 2 : 1;
  for (int i = 0; i < kShares * n_signs; ++i) {
    const float size = 1.0F - static_cast<float>(i / n_signs) * kShareStep;
    shrink(full, full_zero, i % n_signs == 0 ? size : -size, rules.scale_type, old_scale, old_zero,
           tried, tried_zero);
    fall_of(problem, at, {tried.data(), tried_zero.data(), static_cast<float>(rules.max_code)},
            fall.data());
    for (std::size_t r = 0; r < kTileRows; ++r) {
      if (!(fall[r] > best[r])) continue;
      best[r] = fall[r];
      scale[r] = tried[r];
      zero[r] = tried_zero[r];
    }
  }
  Floats values;
  for (std::size_t j = 0; j < at.size; ++j) {
    kernels::round_to_grid(weights(place + j), grids(problem, group), codes(place + j),
                           values.data(), kTileRows);
    float* const change = change_.data() + (at.first + j) * kTileRows;
    for (std::size_t r = 0; r < kTileRows; ++r) {
      const float e = weights(place + j)[r] - values[r];
      change[r] += e - error(place + j)[r];
      error(place + j)[r] = e;
    }
  }
  for (std::size_t r = 0; r < kTileRows; ++r) gain_[r] += best[r];
}

/// By how much E H E^T would fall: with D the change of the group's E, - D (2 g + D H_gg).
void RowTile::fall_of(const Problem& problem, const GroupPlace& at, const RowGrids& tried,
                      float* fall) {
  const std::size_t place = at.block + at.first;
  values_.reshape(at.size, kTileRows, linalg::Compute::kF32);
  std::array<std::uint8_t, kTileRows> unused;
  Floats values;
  for (std::size_t j = 0; j < at.size; ++j) {
    kernels::round_to_grid(weights(place + j), tried, unused.data(), values.data(), kTileRows);
    float* const change = values_.floats(j);
    for (std::size_t r = 0; r < kTileRows; ++r) {
      change[r] = weights(place + j)[r] - values[r] - error(place + j)[r];
    }
  }
  float* const products = products_.data() + kColumnBlock * kTileRows;
  linalg::weigh_rows(Block(problem.h->damped(), place, place, at.size, at.size), values_, products,
                     kTileRows, linalg::Into::kReplace);
  std::fill_n(fall, kTileRows, 0.0F);
  for (std::size_t j = 0; j < at.size; ++j) {
    const float* const change = values_.floats(j);
    const float* const gradient = products_.data() + (at.first + j) * kTileRows;
    const float* const product = products + j * kTileRows;
    for (std::size_t r = 0; r < kTileRows; ++r) {
      fall[r] -= change[r] * (gradient[r] + gradient[r] + product[r]);
    }
  }
}

}  // namespace lq::solve
