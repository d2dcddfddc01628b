#pragma once
// Codes and grids of a linear layer's weights, so that its output is as close as possible to that of
// the weights themselves.
//
//   1. Ranges: the grid of each group by a search under the error weighted by diag(H).
//   2. Error feedback over the columns, the most important first, on those grids (factored_gram.h).
//   3. Sweeps. Group after group, the scale and zero that are best for its codes, by least squares
//      under all of H, then its codes one after the other, each the best while all others stay
//      (coordinate descent). Nothing ever gets worse by them.
//
// Or plain rounding on ranges that are clipped: those of step 1 and then, group after group, the share
// of the values' range that is best under all of H while the other groups stay.
//
// A row that plain rounding on the grids of step 1 would have served better goes into step 3 with
// that, and leaves it with that where it is not better by then. Rows are independent: a tile of them is one thread's work, and results do not depend on the
// number of threads.

#include <cstddef>
#include <cstdint>
#include <functional>

#include "common/kernels/grid_choice.h"
#include "common/solve/factored_gram.h"
#include "common/tensor/quantized_matrix.h"

namespace lq::solve {

struct Settings {
  int bits = 4;
  std::size_t group_size = 128;  // 0: whole rows; else at most kMaxGroup
  bool symmetric = true;
  bool negative_scales = true;
  int lowest_zero = 0;
  tensor::DType scale_type = tensor::DType::kF16;
  bool search_ranges = true;  // false: ranges are those of the values
  int sweeps = 2;
};

/// A group larger than that is a whole row.
inline constexpr std::size_t kMaxGroup = 128;

/// Gives rows [first, first + n) of the weights, [n, columns]; called from several threads.
using ReadRows = std::function<void(std::size_t first, std::size_t n, float* out)>;

/// What became of a matrix. Errors are tr(E H E^T) under the damped H.
struct Outcome {
  double error = 0;
  double rounded_error = 0;         // of plain rounding on the grids of the range search, to 1 %
  double energy = 0;                // tr(W H W^T); beyond 1024 rows told by every sixteenth
  std::size_t rounded_rows = 0;     // that plain rounding served better than error feedback
  std::size_t saturated_codes = 0;  // at the ends of the grid

  Outcome& operator+=(const Outcome& other);
};

/// REQUIRES: h.is_solvable(); the group size divides the columns, or is 0.
tensor::QuantizedMatrix solve(const FactoredGram& h, std::size_t rows, const ReadRows& read,
                              const Settings& settings, int n_threads, Outcome& outcome);

/// Plain rounding on grids of the range search; `importance` [columns] weighs the errors of that,
/// empty: all the same. The outcome knows of saturation alone.
tensor::QuantizedMatrix round_to_nearest(std::span<const float> importance, std::size_t columns,
                                         std::size_t rows, const ReadRows& read,
                                         const Settings& settings, int n_threads, Outcome& outcome);

/// Plain rounding on clipped ranges, which is never worse than on those of the range search; the
/// outcome has the errors of both. `n_passes` over the groups. REQUIRES: as solve(); groups of at most
/// kMaxGroup columns.
tensor::QuantizedMatrix round_clipped(const FactoredGram& h, std::size_t rows, const ReadRows& read,
                                      const Settings& settings, int n_passes, int n_threads,
                                      Outcome& outcome);

/// Memory that each thread of these functions takes.
std::uint64_t bytes_per_thread(std::size_t columns);

}  // namespace lq::solve
