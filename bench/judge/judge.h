#pragma once
// How far a model is from the one that it was made from, over windows of token ids, as tests and
// benches ask for it: common/behaviour in a few numbers. Every position counts for the divergence,
// the last of each window too, whose prediction no token of the window tells.

#include <cstddef>
#include <memory>

#include "common/behaviour/evaluation.h"
#include "common/calibration/windows.h"

namespace lq::bench {

using Subject = behaviour::Model;

struct Judgement {
  double perplexity = 0, reference_perplexity = 0;  // of the other model and the original
  double kld_mean = 0;                              // nats
  double top1 = 0;         // share of the positions where both find the same token likeliest
  std::size_t tokens = 0;  // that perplexity counts: all but the first of each window
};

/// Judges any number of models against one. Memory: as behaviour::compare. Results do not depend on
/// the number of threads.
class Judge {
 public:
  /// `original` is referred to. REQUIRES: ids below the vocabulary's size. Throws ValidationError
  /// where no window has two tokens, and as behaviour::ModelPredictions.
  Judge(const Subject& original, const calibration::TokenWindows& windows,
        linalg::Compute compute = linalg::Compute::kF32, int n_threads = 1);

  /// Throws as behaviour::compare.
  Judgement operator()(const Subject& other) const;

 private:
  const behaviour::EvaluationWindows windows_;
  const behaviour::EvaluationOptions options_;
  const std::unique_ptr<behaviour::ModelPredictions> reference_;
};

}  // namespace lq::bench
