#include "bench/judge/judge.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <span>

#include "common/forward/head.h"
#include "common/forward/layer_pass.h"
#include "common/parallel/parallel_for.h"

namespace lq::bench {
namespace {

using linalg::Matrix;

/// ln of the sum of exp(logits).
double log_sum_exp(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - largest);
  return largest + std::log(sum);
}

std::ptrdiff_t likeliest(std::span<const float> logits) {
  return std::ranges::max_element(logits) - logits.begin();
}

/// Of one position.
struct Row {
  double divergence = 0, loss = 0, reference_loss = 0;  // losses of 0 where no token follows
  bool same_top = false;
};

/// `next` is below 0 where no token follows.
Row judge_row(std::span<const float> p, std::span<const float> q, std::int32_t next) {
  const double norm_p = log_sum_exp(p), norm_q = log_sum_exp(q);
  Row row;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double log_p = double{p[i]} - norm_p;
    row.divergence += std::exp(log_p) * (log_p - (double{q[i]} - norm_q));
  }
  row.same_top = likeliest(p) == likeliest(q);
  if (next < 0) return row;
  row.reference_loss = norm_p - double{p[static_cast<std::size_t>(next)]};
  row.loss = norm_q - double{q[static_cast<std::size_t>(next)]};
  return row;
}

}  // namespace

Judge::Judge(const Subject& original, const calibration::TokenWindows& windows,
             linalg::Compute compute, int n_threads)
    : original_(original),
      windows_(windows),
      compute_(compute),
      n_threads_(n_threads),
      reference_(states_of(original)) {}

Judge::States Judge::states_of(const Subject& subject) const {
  const model::ModelConfig& config = subject.config;
  const auto hidden = static_cast<std::size_t>(config.hidden);
  std::vector<std::vector<float>> h;
  for (std::size_t i = 0; i < windows_.n_windows(); ++i) {
    h.push_back(forward::embed(subject.weights, windows_.window(i), hidden));
  }
  forward::LayerPass pass(config, compute_, n_threads_);
  for (int layer = 0; layer < config.n_layers; ++layer) {
    const forward::Layer loaded =
        forward::load_layer(subject.weights, config, layer, compute_, n_threads_);
    for (std::vector<float>& states : h) {
      pass.run(loaded, {{states.size() / hidden}}, states, [](forward::Site, const Matrix&) {});
    }
  }
  const auto norm = forward::load_vector(subject.weights, {model::TensorRole::kOutputNorm});
  States result;
  for (const std::vector<float>& states : h) result.push_back(pass.normalized(norm, states));
  return result;
}

std::vector<float> Judge::logits_of(const Subject& subject, const Matrix& states) const {
  std::vector<std::size_t> rows(states.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return forward::logits_of(subject.weights, states, rows, n_threads_);
}

Judgement Judge::operator()(const Subject& other) const {
  const States states = states_of(other);
  Judgement result;
  std::size_t n_positions = 0, n_same = 0;
  double loss = 0, reference_loss = 0, divergences = 0;
  for (std::size_t i = 0; i < windows_.n_windows(); ++i) {
    const std::span<const std::int32_t> ids = windows_.window(i);
    const std::vector<std::int32_t> next = forward::next_tokens(std::vector{ids.size()}, ids);
    const std::vector<float> p = logits_of(original_, reference_[i]);
    const std::vector<float> q = logits_of(other, states[i]);
    assert(p.size() == q.size());
    const std::size_t vocabulary = p.size() / ids.size();
    std::vector<Row> rows(ids.size());
    parallel::parallel_for(rows.size(), n_threads_, [&](std::size_t row, int) {
      rows[row] = judge_row({p.data() + row * vocabulary, vocabulary},
                            {q.data() + row * vocabulary, vocabulary}, next[row]);
    });
    for (const Row& row : rows) {
      divergences += row.divergence;
      loss += row.loss;
      reference_loss += row.reference_loss;
      n_same += row.same_top ? 1 : 0;
    }
    n_positions += rows.size();
    result.tokens += rows.size() - 1;
  }
  result.perplexity = std::exp(loss / static_cast<double>(result.tokens));
  result.reference_perplexity = std::exp(reference_loss / static_cast<double>(result.tokens));
  result.kld_mean = divergences / static_cast<double>(n_positions);
  result.top1 = static_cast<double>(n_same) / static_cast<double>(n_positions);
  return result;
}

}  // namespace lq::bench
