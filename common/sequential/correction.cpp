#include "common/sequential/correction.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "common/linalg/cholesky.h"
#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::sequential {
namespace {

using linalg::AlignedVector;
using linalg::Block;
using linalg::Compute;
using linalg::Into;
using linalg::Matrix;

// Products go by tiles of one size: the library prepares each size anew.
constexpr std::size_t kTile = 512;    // rows and columns of a square's tile
constexpr std::size_t kTerms = 1024;  // of a product with all columns
// Rows that are divided by H together.
constexpr std::size_t kSampleStrip = 32, kTargetStrip = 128;

/// Calls use(first, n) for parts of [0, size) of `step` each.
template <class Use>
void for_parts(std::size_t size, std::size_t step, const Use& use) {
  for (std::size_t first = 0; first < size; first += step) use(first, std::min(step, size - first));
}
template <class Use>
void for_parts(std::size_t size, std::size_t step, int n_threads, const Use& use) {
  parallel::parallel_for((size + step - 1) / step, n_threads, [&](std::size_t part, int) {
    use(part * step, std::min(step, size - part * step));
  });
}

void add_floats(float* to, const float* from, std::size_t n, int n_threads) {
  for_parts(n, std::size_t{1} << 16, n_threads, [&](std::size_t first, std::size_t part) {
    for (std::size_t i = first; i < first + part; ++i) to[i] += from[i];
  });
}

double dot(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

/// W C + R over H, added to W: rows of one strip. `target` has R, or zeros, and gets W*.
void correct_strip(const solve::FactoredGram& h, const Matrix& cross, double c, const Matrix& w,
                   float* target) {
  const std::size_t n = w.rows(), width = w.columns();
  for_parts(width, kTerms, [&](std::size_t term, std::size_t n_terms) {
    linalg::weigh_rows(Block(w, 0, term, n, n_terms), Block(cross, term, 0, n_terms, width), target,
                       width, Into::kAdd);
  });
  h.divide({target, n * width});
  for (std::size_t i = 0; i < n * width; ++i) {
    target[i] = w.floats(0)[i] + static_cast<float>(c) * target[i];
  }
}

}  // namespace

SiteSums::SiteSums(std::size_t width, std::size_t n_folds, Sample sample, int n_threads)
    : width_(width), sample_(std::move(sample)), n_threads_(n_threads) {
  for (std::size_t fold = 0; fold < n_folds; ++fold) {
    folds_.push_back({0, Triangle(width), {}});
    folds_.back().products.assign(sample_.rows.size() * width, 0.0F);
  }
  if (sample_.rows.empty()) return;
  cross_.reshape(width, width, Compute::kF32);
  std::fill_n(cross_.floats(0), width * width, 0.0F);
}

void SiteSums::add(std::size_t fold, calibration::CrossProducts& sums) {
  Fold& to = folds_[fold];
  to.count += sums.count;
  to.gram.add_square(sums.gram.data(), n_threads_);
  if (!sample_.rows.empty()) {
    add_sampled(sums, to);
    add_floats(cross_.floats(0), sums.cross.data(), width_ * width_, n_threads_);
    if (residual_.empty()) {
      residual_ = std::move(sums.residual_cross);
    } else {
      add_floats(residual_.data(), sums.residual_cross.data(), residual_.size(), n_threads_);
    }
  }
  sums = {};
}

void SiteSums::add_sampled(const calibration::CrossProducts& sums, Fold& fold) const {
  const std::size_t n_rows = sample_.rows.size();
  for_parts(width_, kTile, n_threads_, [&](std::size_t column, std::size_t n) {
    Matrix tile;
    for_parts(width_, kTile, [&](std::size_t term, std::size_t n_terms) {
      tile.reshape(n_terms, n, Compute::kF32);
      for (std::size_t i = 0; i < n_terms; ++i) {
        std::copy_n(sums.cross.data() + (term + i) * width_ + column, n, tile.floats(i));
      }
      linalg::weigh_rows(Block(sample_.weights, 0, term, n_rows, n_terms), tile,
                         fold.products.data() + column, width_, Into::kAdd);
    });
  });
  if (sums.residual_cross.empty()) return;
  for (std::size_t i = 0; i < n_rows; ++i) {
    add_floats(fold.products.data() + i * width_,
               sums.residual_cross.data() + sample_.rows[i] * width_, width_, 1);
  }
}

bool SiteSums::correction_without(std::size_t fold, const solve::Damping& damping,
                                  Matrix& p) const {
  Matrix h(width_, width_, Compute::kF32);
  parallel::parallel_for(width_, n_threads_,
                         [&](std::size_t i, int) { std::fill_n(h.floats(i), width_, 0.0F); });
  const std::size_t n_products = sample_.rows.size() * width_;
  std::fill_n(p.floats(0), n_products, 0.0F);
  for (std::size_t other = 0; other < folds_.size(); ++other) {
    if (other == fold) continue;
    folds_[other].gram.add_to(h, n_threads_);
    add_floats(p.floats(0), folds_[other].products.data(), n_products, n_threads_);
  }
  const std::vector<double> diagonal =
      solve::damped_diagonal(solve::diagonal_of({h.floats(0), width_ * width_}, width_), damping);
  for (std::size_t i = 0; i < width_; ++i) h.floats(i)[i] = static_cast<float>(diagonal[i]);
  if (!linalg::factor(h, n_threads_)) return false;
  for_parts(sample_.rows.size(), kSampleStrip, n_threads_,
            [&](std::size_t row, std::size_t n) { linalg::solve_rows(h, p.floats(row), n); });
  return true;
}

Strength SiteSums::held_out(const solve::Damping& damping) const {
  Strength found;
  const auto has_tokens = [](const Fold& fold) { return fold.count > 0; };
  if (sample_.rows.empty() || std::ranges::count_if(folds_, has_tokens) < 2) return found;
  found.is_needed = std::ranges::any_of(folds_, [](const Fold& fold) {
    return std::ranges::any_of(fold.products, [](float value) { return value != 0; });
  });
  if (!found.is_needed) return found;
  Matrix p(sample_.rows.size(), width_, Compute::kF32);
  for (std::size_t k = 0; k < folds_.size(); ++k) {
    const Fold& fold = folds_[k];
    if (!has_tokens(fold) || !correction_without(k, damping, p)) continue;
    found.gain += dot(p.floats(0), fold.products.data(), fold.products.size());
    found.held += quadratic_form(p, fold.gram, n_threads_);
    ++found.n_folds;
  }
  if (found.held > 0 && std::isfinite(found.gain)) {
    found.c = std::clamp(found.gain / found.held, 0.0, 1.0);
  }
  return found;
}

AlignedVector<float> SiteSums::take_gram() {
  AlignedVector<float> gram;
  gram.assign(width_ * width_, 0.0F);
  for (const Fold& fold : folds_) fold.gram.add_to(gram.data(), n_threads_);
  folds_.clear();
  return gram;
}

AlignedVector<float> SiteSums::take_targets(const solve::FactoredGram& h, double c,
                                            std::size_t rows, const solve::ReadRows& read) {
  assert(cross_.rows() == width_ && (residual_.empty() || residual_.size() == rows * width_));
  AlignedVector<float> targets = std::move(residual_);
  if (targets.empty()) targets.assign(rows * width_, 0.0F);
  for_parts(rows, kTargetStrip, n_threads_, [&](std::size_t row, std::size_t n) {
    Matrix w(n, width_, Compute::kF32);
    read(row, n, w.floats(0));
    correct_strip(h, cross_, c, w, targets.data() + row * width_);
  });
  cross_ = {};
  return targets;
}

double quadratic_form(const Matrix& p, const Triangle& h, int n_threads) {
  const std::size_t n_rows = p.rows(), width = p.columns();
  std::vector<double> sums((width + kTile - 1) / kTile);
  for_parts(width, kTile, n_threads, [&](std::size_t term, std::size_t n_terms) {
    Matrix tile;
    AlignedVector<float> products(n_rows * kTile);
    // Elements above the diagonal stand for both halves.
    for_parts(width - term, kTile, [&](std::size_t beside, std::size_t n) {
      tile.reshape(n_terms, n, Compute::kF32);
      for (std::size_t i = 0; i < n_terms; ++i) {
        const float* const row = h.row(term + i);  // from column term + i on
        for (std::size_t j = 0; j < n; ++j) {
          const std::size_t column = beside + j;
          tile.floats(i)[j] = column < i ? 0.0F : (column == i ? 1.0F : 2.0F) * row[column - i];
        }
      }
      linalg::weigh_rows(Block(p, 0, term, n_rows, n_terms), tile, products.data(), n,
                         Into::kReplace);
      for (std::size_t r = 0; r < n_rows; ++r) {
        const float* const factors = p.floats(r) + term + beside;
        for (std::size_t j = 0; j < n; ++j) {
          sums[term / kTile] += double{products[r * n + j]} * double{factors[j]};
        }
      }
    });
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

std::uint64_t SiteSums::cross_bytes(std::size_t width, std::size_t residual_rows) {
  return sizeof(float) * std::uint64_t{width} * (width + residual_rows);
}

std::uint64_t SiteSums::bytes(std::size_t width, std::size_t residual_rows, std::size_t n_folds) {
  return cross_bytes(width, residual_rows) + n_folds * Triangle::bytes(width) +
         sizeof(float) * (n_folds + 1) * kSampledRows * std::uint64_t{width};
}

std::uint64_t SiteSums::held_out_bytes(std::size_t width, int n_threads) {
  const auto of_threads =
      static_cast<std::uint64_t>(n_threads) * (linalg::tile_scratch_bytes(1, kTile, Compute::kF32) +
                                               sizeof(float) * kTile * (kTile + kSampledRows));
  return sizeof(float) * std::uint64_t{width} * (width + kSampledRows) + of_threads;
}

std::uint64_t SiteSums::targets_bytes(std::size_t width, int n_threads) {
  return static_cast<std::uint64_t>(n_threads) *
         (linalg::onednn::scratch_bytes(kTargetStrip, width, kTerms, Compute::kF32) +
          sizeof(float) * kTargetStrip * std::uint64_t{width});
}

}  // namespace lq::sequential
