#pragma once
// The rows that one thread solves together, in memory of its own. Columns are contiguous, a lane for
// each row; they are called by their places (factored_gram.h).

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "common/linalg/aligned.h"
#include "common/linalg/matrix.h"
#include "common/solve/solve.h"

namespace lq::solve {

/// Rows of a tile.
inline constexpr std::size_t kTileRows = 128;
/// Columns whose products are made together.
inline constexpr std::size_t kColumnBlock = kRoundedBlock;

/// What all tiles of a matrix share.
struct Problem {
  Problem(const FactoredGram* gram, std::size_t n_rows, std::size_t n_columns,
          const Settings& settings);

  std::size_t n_groups() const { return columns / group_size; }

  const FactoredGram* h;  // nullptr: plain rounding alone
  std::size_t columns, group_size;
  std::size_t energy_step;  // of so many rows, one is asked for its energy
  kernels::GridRules rules;
  kernels::RangeSearch search;
  std::vector<float> importance;   // by place: the diagonal of H
  std::vector<float> ones_h;       // by place: sum over its group of H
  std::vector<float> ones_h_ones;  // by group
};

/// One value for each row of a tile.
template <class T>
using Lanes = std::array<T, kTileRows>;

class RowTile {
 public:
  explicit RowTile(std::size_t columns);

  /// Takes the weights of `n` rows [n, columns], by columns.
  void load(const Problem& problem, const float* rows, std::size_t n);
  void search_ranges(const Problem& problem);
  /// Codes by plain rounding.
  void round(const Problem& problem);
  /// Codes by error feedback, or for each row by rounding where that is better; the errors.
  void feed_back(const Problem& problem, Outcome& outcome);
  /// Codes by plain rounding, and their errors.
  void round_and_measure(const Problem& problem, Outcome& outcome);
  /// For each group in turn the best share of its values' range, for plain rounding under all of H
  /// while the other groups stay. REQUIRES: round_and_measure(); groups within a block of columns.
  void clip_ranges(const Problem& problem);
  /// One sweep. REQUIRES: feed_back().
  void sweep(const Problem& problem);
  /// The errors after sweeps; rows that rounding serves no worse go back to it.
  void settle(const Problem& problem, Outcome& outcome);
  /// Writes the rows that were loaded, from `first_row` on.
  void store(const Problem& problem, std::size_t first_row, tensor::QuantizedMatrix& out,
             Outcome& outcome) const;

 private:
  /// Columns [block + first, + size) of a group.
  struct GroupPlace {
    std::size_t block, first, size;
  };

  kernels::RowGrids grids(const Problem& problem, std::size_t group) const;
  std::uint8_t* codes(std::size_t place) { return codes_.data() + place * kTileRows; }
  float* weights(std::size_t place) { return weights_.data() + place * kTileRows; }
  float* error(std::size_t place) { return error_.floats(place); }

  void choose_column(const Problem& problem, std::size_t step, float* sums);
  void measure_rounding(const Problem& problem, Outcome& outcome);
  void measure_rounding_exactly(const Problem& problem);
  void weigh_known(const Problem& problem, std::size_t n_lanes, double* sums);
  void round_rows(const Problem& problem, const Lanes<bool>& rows, Outcome& outcome);
  void keep_better(const Problem& problem, Outcome& outcome);
  void clip_group(const Problem& problem, const GroupPlace& at);
  void fall_of(const Problem& problem, const GroupPlace& at, const kernels::RowGrids& tried,
               float* fall);
  /// Calls visit(first column, columns) for each group of the block whose gradients are in products_
  /// after what groups before it have changed is in them.
  void for_groups(const Problem& problem, std::size_t block, std::size_t n,
                  const std::function<void(std::size_t first, std::size_t size)>& visit);
  void sweep_block(const Problem& problem, std::size_t first, std::size_t n);
  void refit(const Problem& problem, std::size_t block, std::size_t first, std::size_t size);
  void refit_rows(const Problem& problem);
  void descend(const Problem& problem, std::size_t block, std::size_t first, std::size_t size);
  void add_sums(const float* q, const float* g, const float* qh, float ones_h);

  std::size_t n_rows_ = 0;
  linalg::AlignedVector<float> weights_;                           // [columns][kTileRows]
  linalg::AlignedVector<std::uint8_t> codes_;                      // likewise
  linalg::AlignedVector<float> scales_, zeros_;                    // [groups][kTileRows]
  linalg::AlignedVector<float> searched_scales_, searched_zeros_;  // before any refit
  linalg::Matrix error_;                                           // E^T [columns, kTileRows]
  linalg::Matrix fed_;                          // E^T by feedback, in the order of the solution
  linalg::Matrix known_;                        // E^T by rounding and some weights, likewise
  linalg::Matrix values_;                       // codes of some columns around 0
  linalg::AlignedVector<float> products_;       // of a block of columns
  linalg::AlignedVector<float> change_, step_;  // of E in a block: all of it, and a group's descent
  linalg::AlignedVector<float> sums_;           // GroupSums
  linalg::AlignedVector<float> gain_;
  std::vector<double> error_of_row_, rounded_error_;
  Lanes<bool> is_rounded_{};
};

}  // namespace lq::solve
