#pragma once
// Symmetric matrices of which one half is kept.

#include <cstddef>
#include <cstdint>

#include "common/linalg/aligned.h"
#include "common/linalg/matrix.h"

namespace lq::sequential {

/// What is on and above the diagonal of a symmetric matrix [n, n], in float32.
class Triangle {
 public:
  /// Of zeros.
  explicit Triangle(std::size_t n);

  std::size_t n() const { return n_; }
  /// Elements [i][i] to [i][n - 1].
  const float* row(std::size_t i) const { return values_.data() + offset(i); }
  /// Adds a square's [n, n] elements on and above the diagonal.
  void add_square(const float* square, int n_threads);
  /// Adds both halves to a square [n, n].
  void add_to(float* square, int n_threads) const;
  /// Adds to what is on and below the diagonal: what linalg::factor reads.
  void add_to(linalg::Matrix& square, int n_threads) const;

  static std::uint64_t bytes(std::size_t n);

 private:
  std::size_t offset(std::size_t i) const { return i * (2 * n_ + 1 - i) / 2; }
  template <class Use>
  void for_each(int n_threads, const Use& use) const;

  std::size_t n_;
  linalg::AlignedVector<float> values_;
};

}  // namespace lq::sequential
