#pragma once
// The matrix H of the error that solvers make small, tr(E H E^T), ready for them: damped, and
// factored in the order in which columns are chosen.
//
// H is the sum of x x^T over what a linear layer reads, E [rows, columns] the difference between the
// weights and their quantized values. With H = (F + 1) D (F + 1)^T, F strictly upper triangular and D
// diagonal, in the order of the solution,
//
//   tr(E H E^T) = sum over columns k of D_k |e_k + sum over i < k of e_i F_ik|^2,
//
// so that column k is best rounded after the errors before it, weighed by F, are added to it: GPTQ's
// error feedback (arXiv 2210.17323), in the form of LDLQ (arXiv 2307.13304), which needs no inverse.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/linalg/matrix.h"

namespace lq::solve {

/// What is added to the diagonal: a share of its mean, or each channel's own share.
struct Damping {
  double share = 0.01;
  bool per_channel = false;
};

/// The diagonal of H with its damping. A column that no token has used gets the mean of the others.
std::vector<double> damped_diagonal(std::span<const double> diagonal, const Damping& damping);

/// H_jj of a matrix [n, n].
std::vector<double> diagonal_of(std::span<const float> gram, std::size_t n);

/// Columns by falling diagonal, equal ones in their order.
std::vector<std::uint32_t> by_importance(std::span<const double> diagonal);

/// Columns that rounded_feedback() is read by.
inline constexpr std::size_t kRoundedBlock = 128;

class FactoredGram {
 public:
  /// `gram`: H [n, n], both triangles. A column that no token has used (H_jj = 0) gets
  /// the mean of the others. Where H is not positive definite with `damping`, the share is raised by
  /// the least of 3, 9, 27... times (from 1e-4 on) that makes it so, up to 1. `places_by_importance`: columns are placed,
  /// and so grouped, in the order of their importance.
  FactoredGram(linalg::AlignedVector<float> gram, std::size_t n, const Damping& damping,
               bool places_by_importance, int n_threads);

  std::size_t n() const { return columns_.size(); }
  /// False where no damping helps, or H is not finite: there is neither factor nor feedback then.
  bool is_solvable() const { return solvable_; }
  /// The share that was added.
  double damping() const { return damping_; }
  std::size_t n_dead() const { return n_dead_; }

  /// Whether places are not the columns' own.
  bool is_permuted() const { return is_permuted_; }
  /// The column of each place.
  std::span<const std::uint32_t> columns() const { return columns_; }
  /// H by places, damped.
  const linalg::Matrix& damped() const { return damped_; }
  /// The places in the order of the solution: by importance.
  std::span<const std::uint32_t> order() const { return order_; }
  /// F^T by that order: row k has F_ik for i < k; what else is there is not to be read.
  const linalg::Matrix& feedback() const { return feedback_; }
  /// (F + 1)^T by that order, in bfloat16, for errors of codes that are known. Row k has zeros from
  /// k + 1 up to the end of its kRoundedBlock columns; what comes behind is not to be read.
  const linalg::Matrix& rounded_feedback() const { return rounded_feedback_; }
  /// D by that order.
  std::span<const float> pivots() const { return pivots_; }

  /// Replaces each row b [n], by columns, of `rows` by b H^-1, by the calling thread alone, in an
  /// item of parallel_for. REQUIRES: is_solvable().
  void divide(std::span<float> rows) const;

  /// What it takes, the gram that it was given included.
  static std::uint64_t bytes(std::size_t n, bool places_by_importance);

 private:
  bool try_factor(const linalg::Matrix& gram, std::span<const double> diagonal, int n_threads);
  void take_feedback(int n_threads);
  void take_damped(linalg::Matrix gram, std::span<const double> diagonal, int n_threads);
  void round_feedback(std::size_t k);

  std::vector<std::uint32_t> columns_, order_;
  std::vector<std::uint32_t> solution_;  // columns in the order of the solution
  bool is_permuted_ = false, solvable_ = false;
  double damping_ = 0;
  std::size_t n_dead_ = 0;
  linalg::Matrix damped_, feedback_, rounded_feedback_;
  std::vector<float> pivots_;
};

}  // namespace lq::solve
