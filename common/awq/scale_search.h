#pragma once
// Scales of the channels that linear layers read, so that rounding W S on a grid of groups and
// dividing by S again costs the outputs least.
//
// By a grid of exponents: s_j = x_j^a / w_j^b, x the mean of |input|, w the mean of |weight| over
// the largest of its group (arXiv 2306.00978 has one exponent; AutoAWQ b = 1 - a). Of each the loss is
// exact, with E = Q(W S) S^-1 - W on ranges of the values and H = sum x x^T:
//
//   loss = sum over linear layers of tr(E H E^T) / tr(W H W^T).
//
// By a smooth stand-in for what error feedback leaves, for which nothing is rounded: with the steps
// of the grid and D_j what H has left of channel j after those that are chosen before it
// (factored_gram.h: the pivots),
//
//   sum over groups g of (sum over rows r of step_rg(W S)^2) (sum over j in g of D_j / s_j^2),
//
// its least over log s by Adam (arXiv 1412.6980).
//
// Both stay with scales of 1 where the loss does not fall enough.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/solve/factored_gram.h"
#include "common/solve/solve.h"

namespace lq::awq {

struct SearchSettings {
  solve::Settings rounding;   // bits, groups and kind of grid; its sweeps and ranges do not count
  int n_points = 11;          // exponents: 0, 1 / (n_points - 1) ... 1
  double largest_ratio = 64;  // of two scales of a site
  double least_gain = 0.01;   // share of the loss by which scales must lower it
  std::size_t n_rows = 256;   // of the linear layers of a site that stand for all; 0: all
  bool every_candidate = false;  // the exact loss of all, as the definition has it
  int n_threads = 1;             // without influence on the result
};

/// The linear layers that read a site, those that are quantized, and what they read.
struct SiteProblem {
  const linalg::Matrix& h;                      // [columns, columns], damped, in float32
  std::vector<double> pivots;                   // [columns], D of search_smooth(), else empty
  std::vector<double> mean_abs;                 // [columns], of the inputs
  std::vector<std::uint32_t> scale_of_channel;  // [columns], as scale_of_channels()
  std::vector<std::size_t> rows;                // of each layer
  solve::ReadRows read;                         // rows of all, one layer below the other
};

struct FoundScales {
  std::vector<float> s;  // [columns], sqrt(max min) is 1; empty: all 1
  /// Before and after, of the rows that stand for all.
  double loss_of_identity = 0, loss = 0;
};

/// The pivots of a factored H, by column: D of search_smooth().
std::vector<double> pivots_by_column(const solve::FactoredGram& h);

/// The least exact loss of the grid. Unless `every_candidate`, candidates are ranked by diag(H) first
/// and the best of those by products in bfloat16.
FoundScales search_grid(const SiteProblem& problem, const SearchSettings& settings);

/// The losses are the stand-in's.
FoundScales search_smooth(const SiteProblem& problem, const SearchSettings& settings);

}  // namespace lq::awq
