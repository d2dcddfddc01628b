#pragma once
// What a model's predictions are like at each position that counts: how likely it found the token
// that came and, against a reference, how far the two are apart.

#include <cstddef>
#include <vector>

#include "common/behaviour/predictions.h"

namespace lq::behaviour {

/// Of one position.
struct PositionResult {
  std::size_t window = 0;
  bool has_next = false;      // a token follows: the losses count
  double loss = 0;            // -ln p(next token) in nats
  double reference_loss = 0;  // the same of the reference; 0 without one
  double divergence = 0;      // KL(reference || model) in nats; 0 without one
  bool same_top = true;       // both find the same token likeliest
};

/// The losses alone. REQUIRES: predictions of the windows' positions.
std::vector<PositionResult> evaluate(Predictions& model, const EvaluationWindows& windows);

/// Any number of models may be compared with one reference. Memory: that of both, and a block of
/// logits of each. Results do not depend on the number of threads. REQUIRES: both are predictions
/// of the windows' positions. Throws ValidationError where their vocabularies differ.
std::vector<PositionResult> compare(Predictions& reference, Predictions& model,
                                    const EvaluationWindows& windows, int n_threads);

}  // namespace lq::behaviour
