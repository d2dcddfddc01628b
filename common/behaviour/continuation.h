#pragma once
// Texts that a model goes on with, always by its likeliest token, and what can be counted of them:
// where two models part, and whether one goes round in circles. Numbers over windows tell the loss
// of each token; this shows what a broken model does with its own.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/behaviour/predictions.h"

namespace lq::behaviour {

using TokenList = std::vector<std::int32_t>;

struct ContinuationOptions {
  std::size_t n_tokens = 48;  // of a continuation, at most
  TokenList ends = {};        // one ends behind the first of these
  linalg::Compute compute = linalg::Compute::kBf16;
  int n_threads = 1;
  /// Layers are kept in memory as far as this goes, in bytes; the others are read again for every
  /// token, which of a large model takes nearly all of the time.
  std::uint64_t weights_memory = 0;
  /// Told how many tokens have passed a layer; may throw to stop. May be empty.
  std::function<void(std::size_t)> passed = {};
};

/// A continuation for each prompt. All prompts go on together, a token each at a time; keys and
/// values are kept. Results do not depend on the number of threads. REQUIRES: prompts that are not
/// empty, ids below the vocabulary's size. Throws ConversionError where activations are not finite,
/// and as WeightSource::read.
std::vector<TokenList> continue_greedily(const Model& model, std::span<const TokenList> prompts,
                                         const ContinuationOptions& options);

/// How many tokens two continuations have in common before they part.
std::size_t n_common(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

struct Repetition {
  /// Of the groups of four tokens in a row, those that were there before: 0 to nearly 1.
  double repeated_share = 0;
  /// Tokens of the longest stretch that is one piece said twice or more, without a gap; 0: none.
  std::size_t longest_loop = 0;
};
Repetition repetition_of(std::span<const std::int32_t> tokens);

/// One prompt, as two models go on from it.
struct ContinuationPair {
  TokenList reference, other;
  std::size_t n_common = 0;
  Repetition of_reference, of_other;
};
/// Of each prompt; one model after the other. As continue_greedily().
std::vector<ContinuationPair> continue_both(const Model& reference, const Model& other,
                                            std::span<const TokenList> prompts,
                                            const ContinuationOptions& options);

}  // namespace lq::behaviour
