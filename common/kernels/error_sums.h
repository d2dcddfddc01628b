#pragma once
// What two rows of values have in common and in what they differ: the sums that every measure of a
// weight's error is made of. All instruction sets give the same bits: element i belongs to lane
// i % kErrorLanes, and each lane adds in the order of the reference.
//
// Sums are float32 in each lane over a run of kErrorRun elements and float64 across lanes and runs:
// the error of a sum is below 2^-17 of the sum of its magnitudes.

#include <cstddef>

namespace lq::kernels {

inline constexpr std::size_t kErrorLanes = 16;
inline constexpr std::size_t kErrorRun = 1024;

/// Of values w and values q that stand for them.
struct ErrorSums {
  double ww = 0, wq = 0, qq = 0;  // sums of products
  double diff = 0, diff_sq = 0;   // of q - w
  float max_diff = 0;             // largest |q - w|
  double n = 0;                   // elements

  void add(const ErrorSums& other);
};

/// Adds n elements to `sums`. Runs begin anew with each call: calls of a multiple of kErrorRun
/// elements give, one after the other, what one call with all of them gives.
/// REQUIRES: no NaN among the values.
void add_error_sums(const float* w, const float* q, std::size_t n, ErrorSums& sums);

}  // namespace lq::kernels
