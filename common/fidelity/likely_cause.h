#pragma once
// Why a tensor is not the reference's. Repairs of what goes wrong when formats are written are tried
// on a sample of rows; the one that makes it the reference's tells what happened.

#include <string>

#include "common/fidelity/comparison.h"

namespace lq::fidelity {

class LikelyCauses {
 public:
  /// All are referred to.
  LikelyCauses(const Sides& sides, const Comparison& comparison)
      : sides_(sides), comparison_(comparison) {}

  /// A sentence's beginning; empty where nothing that was tried explains it. REQUIRES: the tensor is
  /// in both models and has no problem.
  std::string of(const TensorError& error) const;

 private:
  const Folds& folds_of(int layer) const;

  const Sides& sides_;
  const Comparison& comparison_;
};

}  // namespace lq::fidelity
