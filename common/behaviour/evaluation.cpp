#include "common/behaviour/evaluation.h"

#include <cassert>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/behaviour/prediction_rows.h"
#include "common/parallel/parallel_for.h"

namespace lq::behaviour {
namespace {

std::vector<PositionResult> results_for(const EvaluationWindows& windows) {
  std::vector<PositionResult> results;
  for (const Position& position : positions_of(windows)) {
    results.push_back({.window = position.window, .has_next = position.next >= 0});
  }
  return results;
}

}  // namespace

std::vector<PositionResult> evaluate(Predictions& model, const EvaluationWindows& windows) {
  std::vector<PositionResult> results = results_for(windows);
  assert(results.size() == model.n_positions());
  PredictionBlock block;
  for (std::size_t i = 0; i < model.n_blocks(); ++i) {
    model.read(i, block);
    for (std::size_t row = 0; row < block.n; ++row) {
      results[block.first + row].loss = block.loss[row];
    }
  }
  return results;
}

std::vector<PositionResult> compare(Predictions& reference, Predictions& model,
                                    const EvaluationWindows& windows, int n_threads) {
  if (reference.vocabulary() != model.vocabulary()) {
    throw base::ValidationError("cannot compare the models' predictions",
                                fmt::format("one predicts among {} tokens, the reference among {}",
                                            model.vocabulary(), reference.vocabulary()),
                                "name the model that the other was made from as the reference");
  }
  std::vector<PositionResult> results = results_for(windows);
  assert(results.size() == model.n_positions() && results.size() == reference.n_positions());
  PredictionBlock p, q;
  for (std::size_t i = 0; i < model.n_blocks(); ++i) {
    reference.read(i, p);
    model.read(i, q);
    parallel::parallel_for(p.n, n_threads, [&](std::size_t row, int) {
      PositionResult& result = results[p.first + row];
      result.loss = q.loss[row];
      result.reference_loss = p.loss[row];
      result.divergence = divergence({p.row(row), p.log_sum[row]}, {q.row(row), q.log_sum[row]});
      result.same_top = p.top[row] == q.top[row];
    });
  }
  return results;
}

}  // namespace lq::behaviour
