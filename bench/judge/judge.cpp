#include "bench/judge/judge.h"

#include "common/behaviour/summary.h"

namespace lq::bench {

Judge::Judge(const Subject& original, const calibration::TokenWindows& windows,
             linalg::Compute compute, int n_threads)
    : windows_(behaviour::given_windows(windows)),
      options_{.compute = compute, .n_threads = n_threads},
      reference_(std::make_unique<behaviour::ModelPredictions>(original, windows_, options_)) {}

Judgement Judge::operator()(const Subject& other) const {
  behaviour::ModelPredictions predictions(other, windows_, options_);
  const behaviour::ComparisonSummary summary = behaviour::summarize_comparison(
      behaviour::compare(*reference_, predictions, windows_, options_.n_threads));
  return {.perplexity = summary.perplexity.value,
          .reference_perplexity = summary.reference_perplexity.value,
          .kld_mean = summary.divergence.value,
          .top1 = summary.same_top.value,
          .tokens = summary.n_tokens};
}

}  // namespace lq::bench
