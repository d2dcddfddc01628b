#pragma once
// Whether a result is the reference, quantized: no measure of its quality.
//
// Of every tensor, with the scales that were folded (comparison.h):
//
//   bits of a code     cosine at least   gain             mean error, of a step
//   4 and more         0.7               0.7 to 1.4       at most 0.3
//   3                  0.5               the same         the same
//   2 and less         0.35              the same         the same
//   plain floats       equal, up to rounding to the type that they are stored in and folded scales
//
// bench/README.md has what sound results and wrong ones measure. GPTQ raises the error of weights
// while that of outputs falls, so that nothing stricter can be asked.
//
// What is found names the likely cause where trying repairs on a sample of rows tells it
// (likely_cause.h). Checks: "identity" for tensors, "scales" for folds that do not fit,
// "configuration" and "vocabulary" for what is around them, "outlier" for remarks.

#include <filesystem>
#include <memory>

#include "common/base/finding.h"
#include "common/fidelity/comparison.h"

namespace lq::fidelity {

inline constexpr double kLeastGain = 0.7, kMostGain = 1.4;
inline constexpr double kMostMeanSteps = 0.3;
/// Times the median of a role's relative errors.
inline constexpr double kOutlierFactor = 3;
double least_cosine(int bits);

/// A reference and a result, opened. Throws as subject::open_subject().
class Models {
 public:
  Models(std::filesystem::path reference, std::filesystem::path result);

  const std::filesystem::path reference_path, result_path;
  const std::unique_ptr<const subject::Subject> reference, result;
  const std::unique_ptr<const StoredModel> stored;

  /// `calibration` may be nullptr.
  Sides sides(const calibration::CalibrationDirectory* calibration) const {
    return {*reference, *result, *stored, calibration};
  }
};

/// Whether one tensor is within the limits. REQUIRES: no problem.
bool is_identified(const TensorError& error);

/// What is found of the tensors, by name. `comparison` is of these models.
base::Findings identity_findings(const Models& models, const Comparison& comparison);

/// Tensors far worse than others of their role: remarks.
base::Findings outliers(const Comparison& comparison);

}  // namespace lq::fidelity
