#include "common/solve/row_tile.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <functional>

#include "common/kernels/grid_columns.h"
#include "common/kernels/transpose.h"
#include "common/linalg/product.h"

namespace lq::solve {
namespace {

using linalg::Block;
using linalg::Into;
using linalg::Matrix;

// Of more rows than that, every sixteenth says enough of their energy.
constexpr std::size_t kManyRows = 1024;

// Two errors of a row closer than that are compared in float32.
constexpr double kClose = 1.05;

/// Codes of a tile as numbers around 0.
void centre(const std::uint8_t* codes, float middle, float* out) {
  for (std::size_t r = 0; r < kTileRows; ++r) out[r] = static_cast<float>(codes[r]) - middle;
}

void add_square(double& sum, double weight, float x) { sum += weight * double{x} * double{x}; }

/// The least share of their range that values keep in the search, by bits.
float least_share(int bits) {
  return bits >= 8 ? 0.6F : bits == 4 ? 0.5F : bits == 3 ? 0.4F : 0.25F;
}

}  // namespace

Problem::Problem(const FactoredGram* gram, std::size_t n_rows, std::size_t n_columns,
                 const Settings& settings)
    : h(gram),
      columns(n_columns),
      group_size(settings.group_size == 0 ? n_columns : settings.group_size),
      energy_step(n_rows > kManyRows ? 16 : 1),
      importance(n_columns, 1.0F) {
  assert(columns % group_size == 0 && (group_size <= kMaxGroup || group_size == columns));
  rules.max_code = (1 << settings.bits) - 1;
  rules.symmetric = settings.symmetric;
  rules.negative_scales = settings.negative_scales;
  rules.lowest_zero = settings.lowest_zero;
  rules.scale_type = settings.scale_type;
  search.least_share = least_share(settings.bits);
  if (!settings.search_ranges) search.n_steps = search.n_polish = 0;
  if (h == nullptr) return;
  ones_h.resize(columns);
  ones_h_ones.resize(n_groups());
  for (std::size_t place = 0; place < columns; ++place) {
    const float* const row = h->damped().floats(place);
    importance[place] = row[place];
    const std::size_t group = place / group_size;
    double sum = 0;
    for (std::size_t i = 0; i < group_size; ++i) sum += double{row[group * group_size + i]};
    ones_h[place] = static_cast<float>(sum);
    ones_h_ones[group] += ones_h[place];
  }
}

RowTile::RowTile(std::size_t columns)
    : weights_(columns * kTileRows),
      codes_(columns * kTileRows),
      products_(kColumnBlock * 2 * kTileRows),
      change_(kColumnBlock * kTileRows),
      step_(kColumnBlock * kTileRows),
      sums_(4 * kTileRows),
      gain_(kTileRows),
      error_of_row_(kTileRows),
      rounded_error_(kTileRows) {}

kernels::RowGrids RowTile::grids(const Problem& problem, std::size_t group) const {
  return {scales_.data() + group * kTileRows, zeros_.data() + group * kTileRows,
          static_cast<float>(problem.rules.max_code)};
}

void RowTile::load(const Problem& problem, const float* rows, std::size_t n) {
  n_rows_ = n;
  std::ranges::fill(weights_, 0.0F);
  const std::size_t row_bytes = problem.columns * sizeof(float);
  constexpr std::size_t kLaneBytes = kTileRows * sizeof(float);
  if (problem.h == nullptr || !problem.h->is_permuted()) {
    kernels::transpose(reinterpret_cast<const std::byte*>(rows), sizeof(float), n, problem.columns,
                       row_bytes, reinterpret_cast<std::byte*>(weights_.data()), kLaneBytes);
    return;
  }
  for (std::size_t place = 0; place < problem.columns; ++place) {
    const std::size_t column = problem.h->columns()[place];
    float* const lanes = weights(place);
    for (std::size_t r = 0; r < n; ++r) lanes[r] = rows[r * problem.columns + column];
  }
}

void RowTile::search_ranges(const Problem& problem) {
  scales_.resize(problem.n_groups() * kTileRows);
  zeros_.resize(problem.n_groups() * kTileRows);
  for (std::size_t group = 0; group < problem.n_groups(); ++group) {
    const std::size_t first = group * problem.group_size;
    kernels::search_ranges(weights(first), kTileRows, problem.importance.data() + first,
                           problem.group_size, problem.rules, problem.search,
                           scales_.data() + group * kTileRows, zeros_.data() + group * kTileRows,
                           kTileRows);
  }
  searched_scales_ = scales_;
  searched_zeros_ = zeros_;
}

void RowTile::round(const Problem& problem) {
  Lanes<float> values;
  for (std::size_t place = 0; place < problem.columns; ++place) {
    kernels::round_to_grid(weights(place), grids(problem, place / problem.group_size), codes(place),
                           values.data(), kTileRows);
  }
}

void RowTile::feed_back(const Problem& problem, Outcome& outcome) {
  const FactoredGram& h = *problem.h;
  fed_.reshape(problem.columns, kTileRows, linalg::Compute::kF32);
  std::ranges::fill(error_of_row_, 0.0);
  for (std::size_t first = 0; first < problem.columns; first += kColumnBlock) {
    const std::size_t n = std::min(kColumnBlock, problem.columns - first);
    linalg::weigh_rows_in_parts(Block(h.feedback(), first, 0, n, first),
                                Block(fed_, 0, 0, first, kTileRows), products_.data());
    for (std::size_t j = 0; j < n; ++j) {
      float* const sums = products_.data() + j * kTileRows;
      kernels::add_weighted_columns(fed_.floats(first), kTileRows,
                                    h.feedback().floats(first + j) + first, j, sums, kTileRows);
      choose_column(problem, first + j, sums);
    }
  }
  measure_rounding(problem, outcome);
  keep_better(problem, outcome);
}

/// The codes of the column that comes at this step. `sums`: what earlier errors bring to it.
void RowTile::choose_column(const Problem& problem, std::size_t step, float* sums) {
  const std::size_t place = problem.h->order()[step];
  const double pivot = double{problem.h->pivots()[step]};
  float* const fed = fed_.floats(step);
  for (std::size_t r = 0; r < kTileRows; ++r) sums[r] += weights(place)[r];
  Lanes<float> values;
  kernels::round_to_grid(sums, grids(problem, place / problem.group_size), codes(place),
                         values.data(), kTileRows);
  for (std::size_t r = 0; r < kTileRows; ++r) {
    fed[r] = weights(place)[r] - values[r];
    add_square(error_of_row_[r], pivot, sums[r] - values[r]);
  }
}

/// The error that rounding would have in each row, which bfloat16 tells well enough where it is not
/// close to that of feedback; and the energy of some rows, which stand for all.
void RowTile::measure_rounding(const Problem& problem, Outcome& outcome) {
  const FactoredGram& h = *problem.h;
  const std::size_t every = problem.energy_step, n_lanes = kTileRows + kTileRows / every;
  known_.reshape(problem.columns, n_lanes, linalg::Compute::kBf16);
  Lanes<std::uint8_t> unused;
  std::array<float, 2 * kTileRows> lanes;
  std::array<double, 2 * kTileRows> sums{};
  Lanes<double> plain_energy{};  // as if H were its diagonal
  for (std::size_t step = 0; step < problem.columns; ++step) {
    const std::size_t place = h.order()[step];
    const float* const w = weights(place);
    kernels::round_to_grid(w, grids(problem, place / problem.group_size), unused.data(),
                           lanes.data(), kTileRows);
    const double importance = double{problem.importance[place]};
    for (std::size_t r = 0; r < kTileRows; ++r) {
      lanes[r] = w[r] - lanes[r];
      add_square(plain_energy[r], importance, w[r]);
    }
    for (std::size_t i = kTileRows; i < n_lanes; ++i) lanes[i] = w[(i - kTileRows) * every];
    known_.set_row(step, {lanes.data(), n_lanes});
  }
  weigh_known(problem, n_lanes, sums.data());
  std::copy_n(sums.begin(), kTileRows, rounded_error_.begin());
  double energy = 0, plain_of_sample = 0, plain = 0;
  for (std::size_t r = 0; r < n_rows_; ++r) {
    plain += plain_energy[r];
    if (r % every != 0) continue;
    energy += sums[kTileRows + r / every];
    plain_of_sample += plain_energy[r];
  }
  outcome.energy += plain_of_sample > 0 ? plain * (energy / plain_of_sample) : plain;
  for (std::size_t r = 0; r < n_rows_; ++r) {
    if (rounded_error_[r] < kClose * error_of_row_[r]) return measure_rounding_exactly(problem);
  }
}

/// Adds the errors that the lanes of known_ make.
void RowTile::weigh_known(const Problem& problem, std::size_t n_lanes, double* sums) {
  const FactoredGram& h = *problem.h;
  for (std::size_t first = 0; first < problem.columns; first += kColumnBlock) {
    const std::size_t n = std::min(kColumnBlock, problem.columns - first);
    linalg::weigh_rows_in_parts(Block(h.rounded_feedback(), first, 0, n, first + n),
                                Block(known_, 0, 0, first + n, n_lanes), products_.data());
    for (std::size_t j = 0; j < n; ++j) {
      const double pivot = double{h.pivots()[first + j]};
      for (std::size_t i = 0; i < n_lanes; ++i) {
        add_square(sums[i], pivot, products_[j * n_lanes + i]);
      }
    }
  }
}

void RowTile::measure_rounding_exactly(const Problem& problem) {
  const FactoredGram& h = *problem.h;
  error_.reshape(problem.columns, kTileRows, linalg::Compute::kF32);
  Lanes<std::uint8_t> unused;
  std::ranges::fill(rounded_error_, 0.0);
  for (std::size_t first = 0; first < problem.columns; first += kColumnBlock) {
    const std::size_t n = std::min(kColumnBlock, problem.columns - first);
    linalg::weigh_rows_in_parts(Block(h.feedback(), first, 0, n, first),
                                Block(error_, 0, 0, first, kTileRows), products_.data());
    for (std::size_t j = 0; j < n; ++j) {
      const std::size_t place = h.order()[first + j];
      float* const own = error(first + j);
      kernels::round_to_grid(weights(place), grids(problem, place / problem.group_size),
                             unused.data(), own, kTileRows);
      float* const sums = products_.data() + j * kTileRows;
      kernels::add_weighted_columns(error_.floats(first), kTileRows,
                                    h.feedback().floats(first + j) + first, j, sums, kTileRows);
      for (std::size_t r = 0; r < kTileRows; ++r) {
        own[r] = weights(place)[r] - own[r];
        add_square(rounded_error_[r], double{h.pivots()[first + j]}, sums[r] + own[r]);
      }
    }
  }
}

/// E by places, and rounding for the rows that it serves better.
void RowTile::keep_better(const Problem& problem, Outcome& outcome) {
  error_.reshape(problem.columns, kTileRows, linalg::Compute::kF32);
  for (std::size_t step = 0; step < problem.columns; ++step) {
    std::copy_n(fed_.floats(step), kTileRows, error(problem.h->order()[step]));
  }
  is_rounded_.fill(false);
  Lanes<bool> better{};
  for (std::size_t r = 0; r < n_rows_; ++r) {
    outcome.rounded_error += rounded_error_[r];
    better[r] = rounded_error_[r] < error_of_row_[r];
  }
  round_rows(problem, better, outcome);
}

/// Plain rounding on the grids of the range search for some rows.
void RowTile::round_rows(const Problem& problem, const Lanes<bool>& rows, Outcome& outcome) {
  if (std::ranges::none_of(rows, std::identity())) return;
  for (std::size_t r = 0; r < n_rows_; ++r) {
    if (!rows[r]) continue;
    if (!is_rounded_[r]) ++outcome.rounded_rows;
    is_rounded_[r] = true;
    error_of_row_[r] = rounded_error_[r];
    for (std::size_t at = r; at < scales_.size(); at += kTileRows) {
      scales_[at] = searched_scales_[at];
      zeros_[at] = searched_zeros_[at];
    }
  }
  Lanes<std::uint8_t> rounded;
  Lanes<float> values;
  for (std::size_t place = 0; place < problem.columns; ++place) {
    kernels::round_to_grid(weights(place), grids(problem, place / problem.group_size),
                           rounded.data(), values.data(), kTileRows);
    for (std::size_t r = 0; r < n_rows_; ++r) {
      if (!rows[r]) continue;
      error(place)[r] = weights(place)[r] - values[r];
      codes(place)[r] = rounded[r];
    }
  }
}

void RowTile::sweep(const Problem& problem) {
  if (problem.group_size > kColumnBlock) refit_rows(problem);
  for (std::size_t first = 0; first < problem.columns; first += kColumnBlock) {
    sweep_block(problem, first, std::min(kColumnBlock, problem.columns - first));
  }
}

// In bfloat16, as errors of rounding were measured: what is not clearly better counts as worse.
void RowTile::settle(const Problem& problem, Outcome& outcome) {
  known_.reshape(problem.columns, kTileRows, linalg::Compute::kBf16);
  for (std::size_t step = 0; step < problem.columns; ++step) {
    known_.set_row(step, {error(problem.h->order()[step]), kTileRows});
  }
  std::ranges::fill(error_of_row_, 0.0);
  weigh_known(problem, kTileRows, error_of_row_.data());
  Lanes<bool> no_better{};
  for (std::size_t r = 0; r < n_rows_; ++r) {
    no_better[r] = !(kClose * error_of_row_[r] <= rounded_error_[r]);
  }
  round_rows(problem, no_better, outcome);
}

void RowTile::for_groups(const Problem& problem, std::size_t block, std::size_t n,
                         const std::function<void(std::size_t, std::size_t)>& visit) {
  const Matrix& h = problem.h->damped();
  linalg::weigh_rows_in_parts(Block(h, block, 0, n, problem.columns),
                              Block(error_, 0, 0, problem.columns, kTileRows), products_.data());
  std::fill_n(change_.data(), n * kTileRows, 0.0F);
  const std::size_t size = std::min(problem.group_size, n);
  for (std::size_t first = 0; first < n; first += size) {
    for (std::size_t j = first; j < first + size && first > 0; ++j) {
      kernels::add_weighted_columns(change_.data(), kTileRows, h.floats(block + j) + block, first,
                                    products_.data() + j * kTileRows, kTileRows);
    }
    visit(first, size);
  }
}

void RowTile::sweep_block(const Problem& problem, std::size_t block, std::size_t n) {
  for_groups(problem, block, n, [&](std::size_t first, std::size_t size) {
    if (problem.group_size <= kColumnBlock) refit(problem, block, first, size);
    descend(problem, block, first, size);
  });
}

void RowTile::add_sums(const float* q, const float* g, const float* qh, float ones_h) {
  kernels::add_group_sums(q, g, qh, ones_h,
                          {sums_.data(), sums_.data() + kTileRows, sums_.data() + 2 * kTileRows,
                           sums_.data() + 3 * kTileRows},
                          kTileRows);
}

/// The grid of the group at places block + first on, of a block whose gradients are in products_.
void RowTile::refit(const Problem& problem, std::size_t block, std::size_t first,
                    std::size_t size) {
  const std::size_t place = block + first, group = place / problem.group_size;
  const auto middle = static_cast<float>(problem.rules.middle());
  values_.reshape(size, kTileRows, linalg::Compute::kF32);
  for (std::size_t j = 0; j < size; ++j) {
    centre(codes(place + j), middle, values_.floats(j));
  }
  float* const qh = products_.data() + kColumnBlock * kTileRows;
  linalg::weigh_rows(Block(problem.h->damped(), place, place, size, size), values_, qh, kTileRows,
                     Into::kReplace);
  std::ranges::fill(sums_, 0.0F);
  for (std::size_t j = 0; j < size; ++j) {
    add_sums(values_.floats(j), products_.data() + (first + j) * kTileRows, qh + j * kTileRows,
             problem.ones_h[place + j]);
  }
  Lanes<float> old_scale, old_zero;
  float* const scale = scales_.data() + group * kTileRows;
  float* const zero = zeros_.data() + group * kTileRows;
  std::copy_n(scale, kTileRows, old_scale.begin());
  std::copy_n(zero, kTileRows, old_zero.begin());
  const kernels::RowGrids old_grids{old_scale.data(), old_zero.data(),
                                    static_cast<float>(problem.rules.max_code)};
  kernels::refit_grids({sums_.data(), sums_.data() + kTileRows, sums_.data() + 2 * kTileRows,
                        sums_.data() + 3 * kTileRows},
                       problem.ones_h_ones[group], problem.rules, old_grids, scale, zero,
                       kTileRows);
  for (std::size_t j = 0; j < size; ++j) {
    kernels::regrid_column(
        {weights(place + j), values_.floats(j), middle, qh + j * kTileRows,
         problem.ones_h[place + j], error(place + j), change_.data() + (first + j) * kTileRows,
         products_.data() + (first + j) * kTileRows},
        old_grids, grids(problem, group), kTileRows);
  }
}

/// The same of grids that span whole rows.
void RowTile::refit_rows(const Problem& problem) {
  // Side by side in fed_: E^T and the codes.
  fed_.reshape(problem.columns, 2 * kTileRows, linalg::Compute::kF32);
  for (std::size_t place = 0; place < problem.columns; ++place) {
    float* const row = fed_.floats(place);
    std::copy_n(error(place), kTileRows, row);
    centre(codes(place), static_cast<float>(problem.rules.middle()), row + kTileRows);
  }
  std::ranges::fill(sums_, 0.0F);
  for (std::size_t first = 0; first < problem.columns; first += kColumnBlock) {
    const std::size_t n = std::min(kColumnBlock, problem.columns - first);
    linalg::weigh_rows_in_parts(Block(problem.h->damped(), first, 0, n, problem.columns),
                                Block(fed_, 0, 0, problem.columns, 2 * kTileRows),
                                products_.data());
    for (std::size_t j = 0; j < n; ++j) {
      const float* const products = products_.data() + j * 2 * kTileRows;
      add_sums(fed_.floats(first + j) + kTileRows, products, products + kTileRows,
               problem.ones_h[first + j]);
    }
  }
  Lanes<float> old_scale, old_zero;
  std::copy_n(scales_.begin(), kTileRows, old_scale.begin());
  std::copy_n(zeros_.begin(), kTileRows, old_zero.begin());
  kernels::refit_grids(
      {sums_.data(), sums_.data() + kTileRows, sums_.data() + 2 * kTileRows,
       sums_.data() + 3 * kTileRows},
      problem.ones_h_ones[0], problem.rules,
      {old_scale.data(), old_zero.data(), static_cast<float>(problem.rules.max_code)},
      scales_.data(), zeros_.data(), kTileRows);
  for (std::size_t place = 0; place < problem.columns; ++place) {
    for (std::size_t r = 0; r < kTileRows; ++r) {
      const float value = (static_cast<float>(codes(place)[r]) - zeros_[r]) * scales_[r];
      error(place)[r] = weights(place)[r] - value;
    }
  }
}

void RowTile::descend(const Problem& problem, std::size_t block, std::size_t first,
                      std::size_t size) {
  const Matrix& h = problem.h->damped();
  const std::size_t place = block + first;
  for (std::size_t j = 0; j < size; ++j) {
    float* const gradient = products_.data() + (first + j) * kTileRows;
    const float* const row = h.floats(place + j);
    kernels::add_weighted_columns(step_.data(), kTileRows, row + place, j, gradient, kTileRows);
    kernels::descend_column({weights(place + j), gradient, row[place + j], codes(place + j),
                             error(place + j), step_.data() + j * kTileRows},
                            grids(problem, (place + j) / problem.group_size), kTileRows);
    float* const change = change_.data() + (first + j) * kTileRows;
    for (std::size_t r = 0; r < kTileRows; ++r) change[r] += step_[j * kTileRows + r];
  }
}

void RowTile::store(const Problem& problem, std::size_t first_row, tensor::QuantizedMatrix& out,
                    Outcome& outcome) const {
  const std::size_t n_groups = problem.n_groups();
  const auto top = static_cast<std::uint8_t>(problem.rules.max_code);
  for (std::size_t r = 0; r < n_rows_; ++r) {
    std::uint8_t* const row = out.codes.data() + (first_row + r) * problem.columns;
    for (std::size_t place = 0; place < problem.columns; ++place) {
      const std::uint8_t code = codes_[place * kTileRows + r];
      row[problem.h == nullptr ? place : problem.h->columns()[place]] = code;
      if (code == 0 || code == top) ++outcome.saturated_codes;
    }
    for (std::size_t group = 0; group < n_groups; ++group) {
      const std::size_t at = (first_row + r) * n_groups + group;
      out.scales[at] = scales_[group * kTileRows + r];
      out.zeros[at] = static_cast<std::uint8_t>(zeros_[group * kTileRows + r]);
    }
    if (problem.h != nullptr) outcome.error += error_of_row_[r];
  }
}

}  // namespace lq::solve
