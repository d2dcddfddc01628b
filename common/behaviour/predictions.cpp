#include "common/behaviour/predictions.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/behaviour/prediction_rows.h"
#include "common/forward/layer.h"
#include "common/forward/layer_pass.h"
#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::behaviour {
namespace {

using linalg::Matrix;
using model::TensorRole;

constexpr std::size_t kMostLogits = std::size_t{1} << 26;  // of a block: 256 MiB
constexpr std::size_t kLeastRows = 128, kMostRows = 2048;
// Windows that pass a layer together: products of few rows are slow.
constexpr std::size_t kBatchTokens = 1024;

constexpr const char* kDamaged =
    "try --compute f32; if that fails too, the model is damaged: make or fetch it again";

std::vector<forward::Windows> batches_of(const EvaluationWindows& windows) {
  std::vector<forward::Windows> batches;
  for (std::size_t w = 0; w < windows.windows.n_windows(); ++w) {
    const std::size_t length = windows.windows.window(w).size();
    if (batches.empty() || batches.back().n_tokens() + length > kBatchTokens) {
      batches.emplace_back();
    }
    batches.back().lengths.push_back(length);
  }
  return batches;
}

}  // namespace

void require_finite(std::span<const float> h, int layer) {
  if (std::ranges::all_of(h, [](float value) { return std::isfinite(value); })) return;
  throw base::ConversionError("cannot evaluate the model",
                              fmt::format("layer {} gives values that are not finite", layer),
                              kDamaged);
}

std::uint64_t layer_bytes(const model::ModelConfig& config, linalg::Compute compute) {
  const auto hidden = static_cast<std::size_t>(config.hidden),
             ffn = static_cast<std::size_t>(config.ffn),
             q = static_cast<std::size_t>(config.n_heads * config.head_dim),
             kv = static_cast<std::size_t>(config.n_kv_heads * config.head_dim);
  const auto matrix = [&](std::size_t rows, std::size_t columns) {
    return std::uint64_t{linalg::PackedMatrix::bytes(rows, columns, compute)};
  };
  return matrix(q, hidden) + 2 * matrix(kv, hidden) + matrix(hidden, q) + 2 * matrix(ffn, hidden) +
         matrix(hidden, ffn);
}

std::size_t positions_per_block(std::size_t vocabulary) {
  return std::clamp(kMostLogits / vocabulary / kLeastRows * kLeastRows, kLeastRows, kMostRows);
}

std::size_t Predictions::n_blocks() const {
  const std::size_t step = positions_per_block(vocabulary());
  return (n_positions() + step - 1) / step;
}

std::pair<std::size_t, std::size_t> Predictions::range(std::size_t i) const {
  const std::size_t step = positions_per_block(vocabulary());
  return {i * step, std::min(step, n_positions() - i * step)};
}

ModelPredictions::ModelPredictions(const Model& model, const EvaluationWindows& windows,
                                   const EvaluationOptions& options)
    : compute_(options.compute), n_threads_(options.n_threads) {
  const std::vector<Position> positions = positions_of(windows);
  for (const Position& position : positions) next_.push_back(position.next);
  run_layers(model, windows, positions, options);
  head_ = forward::load_linear(model.weights, model.config, TensorRole::kOutput, -1, compute_,
                               n_threads_)
              .weight;
}

void ModelPredictions::run_layers(const Model& model, const EvaluationWindows& windows,
                                  std::span<const Position> positions,
                                  const EvaluationOptions& options) {
  const auto hidden = static_cast<std::size_t>(model.config.hidden);
  const std::vector<forward::Windows> batches = batches_of(windows);
  std::vector<std::vector<float>> states;
  std::size_t n_tokens = 0;
  for (const forward::Windows& batch : batches) {
    const auto ids = std::span(windows.windows.ids).subspan(n_tokens, batch.n_tokens());
    states.push_back(forward::embed(model.weights, ids, hidden));
    n_tokens += batch.n_tokens();
  }
  forward::LayerPass pass(model.config, compute_, n_threads_);
  for (int layer = 0; layer < model.config.n_layers; ++layer) {
    const forward::Layer loaded =
        forward::load_layer(model.weights, model.config, layer, compute_, n_threads_);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      pass.run(loaded, batches[i], states[i], [](forward::Site, const Matrix&) {});
      require_finite(states[i], layer);
      if (options.passed) options.passed(batches[i].n_tokens());
    }
  }
  states_.reshape(positions.size(), hidden, compute_);
  const auto norm = forward::load_vector(model.weights, {TensorRole::kOutputNorm});
  std::size_t position = 0, first_row = 0;
  for (std::vector<float>& h : states) {
    const Matrix& normalized = pass.normalized(norm, h);
    h = {};
    for (; position < positions.size(); ++position) {
      const std::size_t row = positions[position].row - first_row;
      if (row >= normalized.rows()) break;
      std::memcpy(states_.at(position, 0), normalized.at(row, 0), states_.row_bytes());
    }
    first_row += normalized.rows();
  }
}

void PredictionBlock::resize(std::size_t first_position, std::size_t n_positions,
                             std::size_t vocabulary) {
  first = first_position;
  n = n_positions;
  logits.resize(n * vocabulary);
  log_sum.resize(n);
  loss.resize(n);
  top.resize(n);
}

void ModelPredictions::read(std::size_t i, PredictionBlock& block) {
  const auto [first, n] = range(i);
  block.resize(first, n, vocabulary());
  Matrix x(n, states_.columns(), compute_);
  std::memcpy(x.data(), states_.at(first, 0), n * x.row_bytes());
  linalg::multiply(x, head_, block.logits.data(), linalg::Into::kReplace, n_threads_);
  parallel::parallel_for(n, n_threads_, [&](std::size_t row, int) {
    const std::span<const float> logits = block.row(row);
    block.top[row] = likeliest(logits);
    block.log_sum[row] = log_sum_exp(logits);
    const std::int32_t next = next_[block.first + row];
    block.loss[row] =
        next < 0 ? 0 : block.log_sum[row] - double{logits[static_cast<std::size_t>(next)]};
  });
  const auto sound = [](double value) { return std::isfinite(value); };
  if (std::ranges::all_of(block.log_sum, sound) && std::ranges::all_of(block.loss, sound)) return;
  throw base::ConversionError("cannot evaluate the model", "it gives logits that are not finite",
                              kDamaged);
}

std::uint64_t ModelPredictions::bytes(const model::ModelConfig& config,
                                      const EvaluationWindows& windows,
                                      const EvaluationOptions& options) {
  const auto of = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  const std::size_t hidden = of(config.hidden), size = linalg::element_bytes(options.compute);
  std::size_t longest = 0, batch = 0;
  for (const forward::Windows& windows_of : batches_of(windows)) {
    longest = std::max(longest, std::ranges::max(windows_of.lengths));
    batch = std::max(batch, windows_of.n_tokens());
  }
  const std::uint64_t pass =
      forward::LayerPass::bytes(config, options.compute, batch, longest, options.n_threads);
  const std::uint64_t n_positions = positions_of(windows).size();
  const std::uint64_t rows =
      std::min<std::uint64_t>(n_positions, positions_per_block(of(config.vocab)));
  const std::uint64_t kept = n_positions * hidden * size;
  const std::uint64_t of_layers = windows.windows.ids.size() * hidden * sizeof(float) +
                                  layer_bytes(config, options.compute) + pass;
  const std::uint64_t of_head =
      linalg::PackedMatrix::bytes(of(config.vocab), hidden, options.compute) +
      rows * (of(config.vocab) * sizeof(float) + hidden * size);
  return kept + std::max(of_layers, of_head);
}

}  // namespace lq::behaviour
