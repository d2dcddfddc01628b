#pragma once
// How far a model is from the one that it was made from, over windows of token ids: perplexity of
// both, and the mean Kullback-Leibler divergence of their predictions,
//
//   KL(original || other) = sum over the vocabulary of p (ln p - ln q)
//
// for every position, the last of each window too, whose prediction no token of the window tells.
// Both run through the project's own forward pass, so that only the weights differ.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/calibration/windows.h"
#include "common/forward/weights.h"
#include "common/linalg/matrix.h"

namespace lq::bench {

/// Referred to.
struct Subject {
  const model::ModelConfig& config;
  const forward::WeightSource& weights;
};

struct Judgement {
  double perplexity = 0, reference_perplexity = 0;  // of the other model and the original
  double kld_mean = 0;                              // nats
  double top1 = 0;         // share of the positions where both find the same token likeliest
  std::size_t tokens = 0;  // that perplexity counts: all but the first of each window
};

/// Judges any number of models against one. Memory: the hidden states of all windows, a layer, and
/// logits of one window. Results do not depend on the number of threads.
class Judge {
 public:
  /// `original` and `windows` are referred to. REQUIRES: ids below the vocabulary's size, at least
  /// one window of two. Throws as WeightSource::read.
  Judge(const Subject& original, const calibration::TokenWindows& windows,
        linalg::Compute compute = linalg::Compute::kF32, int n_threads = 1);

  /// REQUIRES: the same vocabulary. Throws as WeightSource::read.
  Judgement operator()(const Subject& other) const;

 private:
  using States = std::vector<linalg::Matrix>;  // of each window: what the output head reads

  States states_of(const Subject& subject) const;
  /// [tokens, vocabulary]
  std::vector<float> logits_of(const Subject& subject, const linalg::Matrix& states) const;

  const Subject original_;
  const calibration::TokenWindows& windows_;
  const linalg::Compute compute_;
  const int n_threads_;
  const States reference_;
};

}  // namespace lq::bench
