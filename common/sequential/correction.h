#pragma once
// How the weights of a linear layer make up for what the quantized layers before it lost.
//
// y_f and y_q are what the layer reads in the original model and in the one that is being quantized,
// r_f and r_q the residual streams that its output is added to. By least squares over the tokens, the
// weights W + P have, of what is read in the quantized model, the output of the original:
//
//   P = M H^-1,   M = W C + R,   H = sum y_q y_q^T,   C = sum (y_f - y_q) y_q^T,
//                                R = sum (r_f - r_q) y_q^T where the output is added to the stream
//
// with H damped. From few tokens P learns their noise too. So the layer's target is
//
//   W* = W + c P,   c in [0, 1],
//
// and c is the strength that is best for tokens that P has not seen: the tokens are cut into folds k,
// P_k is made from all others, and with the M_k and H_k of the fold itself
//
//   c = sum <P_k, M_k> / sum <P_k H_k, P_k>
//
// makes the error over the folds smallest. Some of the rows are enough to know it.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/calibration/two_streams.h"
#include "common/linalg/aligned.h"
#include "common/linalg/matrix.h"
#include "common/sequential/triangle.h"
#include "common/solve/factored_gram.h"
#include "common/solve/solve.h"

namespace lq::sequential {

/// Rows that stand for all when c is sought (solve::sampled_rows).
inline constexpr std::size_t kSampledRows = 256;

struct Strength {
  double c = 0;
  std::size_t n_folds = 0;    // that were held out
  bool is_needed = true;      // false: the streams do not differ there
  double gain = 0, held = 0;  // the sums that c is the quotient of
};

/// Sums over the tokens at one site, of all linear layers that read it, their rows one below the
/// other.
class SiteSums {
 public:
  struct Sample {
    std::vector<std::size_t> rows;  // empty: no correction, only H is kept
    linalg::Matrix weights;         // those rows of W, kF32
  };
  SiteSums(std::size_t width, std::size_t n_folds, Sample sample, int n_threads);

  /// Adds to a fold, and gives up the memory of `sums`.
  void add(std::size_t fold, calibration::CrossProducts& sums);

  /// c of the folds that have tokens and whose others can be factored; 0 where there are none.
  Strength held_out(const solve::Damping& damping) const;
  /// H [width, width], both triangles. Folds are gone then.
  linalg::AlignedVector<float> take_gram();
  /// W* [rows, width] of all rows that `read` gives. C and R are gone then. REQUIRES: a sample;
  /// h.is_solvable().
  linalg::AlignedVector<float> take_targets(const solve::FactoredGram& h, double c,
                                            std::size_t rows, const solve::ReadRows& read);

  /// Memory while sums are made, beside those of the lane that is added; `residual_rows` is 0 where
  /// there is no R.
  static std::uint64_t bytes(std::size_t width, std::size_t residual_rows, std::size_t n_folds);
  /// What remains of it behind take_gram(), until the targets are taken.
  static std::uint64_t cross_bytes(std::size_t width, std::size_t residual_rows);
  /// What held_out() takes, and take_targets() beside the targets that are no R before.
  static std::uint64_t held_out_bytes(std::size_t width, int n_threads);
  static std::uint64_t targets_bytes(std::size_t width, int n_threads);

 private:
  struct Fold {
    std::int64_t count = 0;  // tokens
    Triangle gram;
    linalg::AlignedVector<float> products;  // the sampled rows of M [sample, width]
  };

  void add_sampled(const calibration::CrossProducts& sums, Fold& fold) const;
  /// P of the sampled rows from all folds but one; false where their H cannot be factored.
  bool correction_without(std::size_t fold, const solve::Damping& damping, linalg::Matrix& p) const;

  const std::size_t width_;
  const Sample sample_;
  const int n_threads_;
  std::vector<Fold> folds_;
  linalg::Matrix cross_;                   // C, or of no rows
  linalg::AlignedVector<float> residual_;  // R, or empty
};

/// tr(P H P^T), each row of P [rows, n] in float32.
double quadratic_form(const linalg::Matrix& p, const Triangle& h, int n_threads);

}  // namespace lq::sequential
