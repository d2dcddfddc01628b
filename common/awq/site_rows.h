#pragma once
// Rows of the linear layers of a site that stand for all of them, and what rounding with scales
// costs them.

#include <cstddef>
#include <span>
#include <vector>

#include "common/awq/scale_search.h"
#include "common/kernels/grid_choice.h"
#include "common/linalg/aligned.h"
#include "common/linalg/matrix.h"

namespace lq::awq {

/// Some rows of one linear layer: columns are contiguous, a lane for each row.
struct RowsTile {
  static constexpr std::size_t kLanes = 128;

  std::size_t layer = 0;                // in SiteProblem::rows
  std::size_t n = 0;                    // rows; the other lanes are 0
  linalg::AlignedVector<float> values;  // [columns][kLanes]

  const float* column(std::size_t j) const { return values.data() + j * kLanes; }
};

class SiteRows {
 public:
  /// `problem` is referred to.
  SiteRows(const SiteProblem& problem, const SearchSettings& settings);

  std::size_t columns() const { return problem_.mean_abs.size(); }
  std::size_t group_size() const { return group_size_; }
  const kernels::GridRules& rules() const { return rules_; }
  std::span<const RowsTile> tiles() const { return tiles_; }

  /// Mean over the rows of |w| over the largest of its group, [columns].
  std::vector<double> mean_weights() const;

  /// tr(W H W^T) of the rows of each layer.
  std::vector<double> energies() const;
  /// The loss of each candidate, with diag(H) in the place of H.
  std::vector<double> losses_by_diagonal(std::span<const std::vector<float>> candidates) const;
  std::vector<double> losses(std::span<const std::vector<float>> candidates,
                             linalg::Compute compute) const;

 private:
  struct Scratch;

  void add_tiles(std::size_t layer, std::size_t first_row);
  void round_tile(const RowsTile& tile, const std::vector<float>& s, Scratch& scratch) const;
  double product(const linalg::Matrix& h, Scratch& scratch, linalg::Compute compute) const;
  /// The relative loss of each candidate; `loss_of` gives that of the E^T in a scratch.
  template <class Measure>
  std::vector<double> measure(std::span<const std::vector<float>> candidates,
                              const Measure& loss_of) const;
  std::vector<double> by_layer(std::span<const double> by_tile) const;
  /// Loss over energy of each layer, summed; both by tile.
  double relative(std::span<const double> loss, std::span<const double> energy) const;

  const SiteProblem& problem_;
  const std::size_t n_rows_;
  const int n_threads_;
  std::size_t group_size_;
  kernels::GridRules rules_;
  std::vector<RowsTile> tiles_;
  std::vector<float> diagonal_;
};

}  // namespace lq::awq
