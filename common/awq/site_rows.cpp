#include "common/awq/site_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "common/kernels/grid_columns.h"
#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"
#include "common/solve/sampled_rows.h"

namespace lq::awq {
namespace {

using linalg::Block;
using linalg::Compute;
using linalg::Matrix;

constexpr std::size_t kLanes = RowsTile::kLanes;
constexpr std::size_t kBlock = 128;  // channels whose products are made together
using Lanes = std::array<float, kLanes>;

/// H as products of that type take it.
Matrix in_type(const Matrix& h, Compute compute, int n_threads) {
  Matrix out(h.rows(), h.columns(), compute);
  parallel::parallel_for(h.rows(), n_threads, [&](std::size_t row, int) {
    out.set_row(row, {h.floats(row), h.columns()});
  });
  return out;
}

/// Adds weight x y to a sum for each lane, which is faster than one sum.
void add_products(const float* x, const float* y, double weight, std::array<double, kLanes>& sums) {
  for (std::size_t r = 0; r < kLanes; ++r) sums[r] += weight * double{x[r]} * double{y[r]};
}

}  // namespace

/// What a thread works with.
struct SiteRows::Scratch {
  linalg::AlignedVector<float> scaled;  // W S of a group
  linalg::AlignedVector<float> error;   // E^T [columns][kLanes]
  Matrix factor;                        // the same in the type of products
  linalg::AlignedVector<float> products;
};

SiteRows::SiteRows(const SiteProblem& problem, const SearchSettings& settings)
    : problem_(problem),
      n_rows_(settings.n_rows),
      n_threads_(settings.n_threads),
      group_size_(settings.rounding.group_size == 0 ? columns() : settings.rounding.group_size),
      diagonal_(columns()) {
  rules_.max_code = (1 << settings.rounding.bits) - 1;
  rules_.symmetric = settings.rounding.symmetric;
  rules_.negative_scales = settings.rounding.negative_scales;
  rules_.lowest_zero = settings.rounding.lowest_zero;
  rules_.scale_type = settings.rounding.scale_type;
  for (std::size_t j = 0; j < columns(); ++j) {
    std::memcpy(&diagonal_[j], problem.h.at(j, j), sizeof(float));
  }
  std::size_t first = 0;
  for (std::size_t layer = 0; layer < problem.rows.size(); ++layer) {
    add_tiles(layer, first);
    first += problem.rows[layer];
  }
}

void SiteRows::add_tiles(std::size_t layer, std::size_t first_row) {
  const std::size_t rows = problem_.rows[layer];
  // Whole tiles: lanes without a row take as long.
  const std::size_t share = (n_rows_ / problem_.rows.size() + kLanes - 1) / kLanes * kLanes;
  const std::vector<std::size_t> sampled = solve::sampled_rows(rows, n_rows_ == 0 ? rows : share);
  const std::size_t first_tile = tiles_.size(), n_tiles = (sampled.size() + kLanes - 1) / kLanes;
  tiles_.resize(first_tile + n_tiles);
  parallel::parallel_for(n_tiles, n_threads_, [&](std::size_t i, int) {
    RowsTile& tile = tiles_[first_tile + i];
    tile.layer = layer;
    tile.n = std::min(kLanes, sampled.size() - i * kLanes);
    tile.values.assign(columns() * kLanes, 0.0F);
    std::vector<float> row(columns());
    for (std::size_t r = 0; r < tile.n; ++r) {
      problem_.read(first_row + sampled[i * kLanes + r], 1, row.data());
      for (std::size_t j = 0; j < row.size(); ++j) tile.values[j * kLanes + r] = row[j];
    }
  });
}

std::vector<double> SiteRows::mean_weights() const {
  std::vector<std::size_t> n_sampled(problem_.rows.size());
  for (const RowsTile& tile : tiles_) n_sampled[tile.layer] += tile.n;
  double n_rows = 0;
  for (const std::size_t rows : problem_.rows) n_rows += static_cast<double>(rows);
  std::vector<double> mean(columns());
  const std::size_t n_groups = columns() / group_size_;
  parallel::parallel_for(n_groups, n_threads_, [&](std::size_t group, int) {
    const std::size_t first = group * group_size_;
    for (const RowsTile& tile : tiles_) {
      const double weight = static_cast<double>(problem_.rows[tile.layer]) / n_rows /
                            static_cast<double>(n_sampled[tile.layer]);
      Lanes largest{};
      for (std::size_t j = first; j < first + group_size_; ++j) {
        for (std::size_t r = 0; r < kLanes; ++r) {
          largest[r] = std::max(largest[r], std::abs(tile.column(j)[r]));
        }
      }
      for (std::size_t j = first; j < first + group_size_; ++j) {
        double sum = 0;
        for (std::size_t r = 0; r < kLanes; ++r) {
          sum += double{std::abs(tile.column(j)[r])} / (double{largest[r]} + 1e-6);
        }
        mean[j] += weight * sum;
      }
    }
  });
  return mean;
}

/// E^T of a tile: Q(W S) S^-1 - W.
void SiteRows::round_tile(const RowsTile& tile, const std::vector<float>& s,
                          Scratch& scratch) const {
  scratch.scaled.resize(group_size_ * kLanes);
  scratch.error.resize(columns() * kLanes);
  Lanes scale, zero, values;
  std::array<std::uint8_t, kLanes> unused;
  for (std::size_t first = 0; first < columns(); first += group_size_) {
    for (std::size_t j = 0; j < group_size_; ++j) {
      const float* const w = tile.column(first + j);
      float* const scaled = scratch.scaled.data() + j * kLanes;
      for (std::size_t r = 0; r < kLanes; ++r) scaled[r] = w[r] * s[first + j];
    }
    kernels::search_ranges(scratch.scaled.data(), kLanes, diagonal_.data() + first, group_size_,
                           rules_, {.n_steps = 0, .n_polish = 0}, scale.data(), zero.data(),
                           kLanes);
    for (std::size_t j = 0; j < group_size_; ++j) {
      kernels::round_to_grid(scratch.scaled.data() + j * kLanes,
                             {scale.data(), zero.data(), static_cast<float>(rules_.max_code)},
                             unused.data(), values.data(), kLanes);
      const float* const w = tile.column(first + j);
      float* const error = scratch.error.data() + (first + j) * kLanes;
      for (std::size_t r = 0; r < kLanes; ++r) error[r] = values[r] / s[first + j] - w[r];
    }
  }
}

/// tr(E H E^T) of what is in `scratch`.
double SiteRows::product(const Matrix& h, Scratch& scratch, Compute compute) const {
  scratch.factor.reshape(columns(), kLanes, compute);
  scratch.factor.set(0, 0, scratch.error);
  scratch.products.resize(kBlock * kLanes);
  std::array<double, kLanes> sums{};
  for (std::size_t first = 0; first < columns(); first += kBlock) {
    const std::size_t n = std::min(kBlock, columns() - first);
    linalg::weigh_rows_in_parts(Block(h, first, 0, n, columns()), scratch.factor,
                                scratch.products.data());
    for (std::size_t i = 0; i < n; ++i) {
      add_products(scratch.products.data() + i * kLanes,
                   scratch.error.data() + (first + i) * kLanes, 1, sums);
    }
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

std::vector<double> SiteRows::by_layer(std::span<const double> by_tile) const {
  std::vector<double> sums(problem_.rows.size());
  for (std::size_t i = 0; i < tiles_.size(); ++i) sums[tiles_[i].layer] += by_tile[i];
  return sums;
}

double SiteRows::relative(std::span<const double> loss, std::span<const double> energy) const {
  const std::vector<double> losses = by_layer(loss), energies = by_layer(energy);
  double sum = 0;
  for (std::size_t layer = 0; layer < losses.size(); ++layer) {
    if (energies[layer] > 0) sum += losses[layer] / energies[layer];
  }
  return sum;
}

template <class Measure>
std::vector<double> SiteRows::measure(std::span<const std::vector<float>> candidates,
                                      const Measure& loss_of) const {
  const std::size_t n_tiles = tiles_.size();
  std::vector<double> loss((candidates.size() + 1) * n_tiles);  // of each tile; the energy last
  std::vector<Scratch> scratch(static_cast<std::size_t>(n_threads_));
  parallel::parallel_for(loss.size(), n_threads_, [&](std::size_t i, int worker) {
    Scratch& own = scratch[static_cast<std::size_t>(worker)];
    const RowsTile& tile = tiles_[i % n_tiles];
    if (i / n_tiles < candidates.size()) {
      round_tile(tile, candidates[i / n_tiles], own);
    } else {
      own.error = tile.values;
    }
    loss[i] = loss_of(own);
  });
  const std::span all(loss);
  std::vector<double> out;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    out.push_back(relative(all.subspan(c * n_tiles, n_tiles), all.last(n_tiles)));
  }
  return out;
}

std::vector<double> SiteRows::energies() const {
  std::vector<double> energy(tiles_.size());
  std::vector<Scratch> scratch(static_cast<std::size_t>(n_threads_));
  parallel::parallel_for(tiles_.size(), n_threads_, [&](std::size_t i, int worker) {
    Scratch& own = scratch[static_cast<std::size_t>(worker)];
    own.error = tiles_[i].values;
    energy[i] = product(problem_.h, own, Compute::kF32);
  });
  return by_layer(energy);
}

std::vector<double> SiteRows::losses_by_diagonal(
    std::span<const std::vector<float>> candidates) const {
  return measure(candidates, [this](Scratch& scratch) {
    std::array<double, kLanes> sums{};
    for (std::size_t j = 0; j < columns(); ++j) {
      add_products(scratch.error.data() + j * kLanes, scratch.error.data() + j * kLanes,
                   double{diagonal_[j]}, sums);
    }
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  });
}

std::vector<double> SiteRows::losses(std::span<const std::vector<float>> candidates,
                                     Compute compute) const {
  const Matrix& damped = problem_.h;
  const bool is_own_type = damped.dtype() == linalg::element_type(compute);
  const Matrix other = is_own_type ? Matrix() : in_type(damped, compute, n_threads_);
  const Matrix& h = is_own_type ? damped : other;
  return measure(candidates, [&](Scratch& scratch) { return product(h, scratch, compute); });
}

}  // namespace lq::awq
