#include "common/awq/layer_trial.h"

#include <cassert>

#include "common/calibration/lanes.h"
#include "common/kernels/convert.h"

namespace lq::awq {
namespace {

using forward::WeightKey;

/// Weights some of which are replaced by what quantized ones stand for.
class PartlyQuantized : public forward::WeightSource {
 public:
  PartlyQuantized(const WeightSource& weights, const QuantizedMatrices& matrices)
      : weights_(weights), matrices_(matrices) {}

  tensor::Shape shape(const WeightKey& key) const override { return weights_.shape(key); }
  void read(const WeightKey& key, std::size_t first, std::span<float> out) const override {
    const auto found = matrices_.find(key.role);
    if (found == matrices_.end() || key.is_bias) return weights_.read(key, first, out);
    const tensor::QuantizedMatrix& matrix = found->second;
    std::size_t row = first / matrix.columns, column = first % matrix.columns;
    for (float& value : out) {
      value = matrix.value(row, column);
      if (++column < matrix.columns) continue;
      column = 0;
      ++row;
    }
  }

 private:
  const WeightSource& weights_;
  const QuantizedMatrices& matrices_;
};

}  // namespace

LayerTrial::LayerTrial(const forward::WeightSource& weights, const model::ModelConfig& config,
                       int layer, linalg::Compute compute, int n_threads)
    : weights_(weights),
      config_(config),
      layer_(layer),
      n_threads_(n_threads),
      compute_(compute),
      pass_(config, compute, n_threads) {}

bool LayerTrial::begin(std::span<const std::uint16_t> sample, const forward::Windows& windows,
                       std::size_t max_tokens) {
  const auto hidden = static_cast<std::size_t>(config_.hidden);
  std::size_t n_tokens = 0;
  for (const std::size_t length : windows.lengths) {
    if ((n_tokens + length) * hidden > sample.size()) break;
    if (n_tokens > 0 && n_tokens + length > max_tokens) break;
    if (batches_.empty() || batches_.back().n_tokens() + length > calibration::kBatchTokens) {
      batches_.emplace_back();
    }
    batches_.back().lengths.push_back(length);
    n_tokens += length;
  }
  if (n_tokens == 0) return false;
  states_.resize(n_tokens * hidden);
  kernels::widen_to_f32(tensor::DType::kBF16, std::as_bytes(sample.first(states_.size())), states_);
  wanted_ = run(weights_);
  return true;
}

std::vector<float> LayerTrial::run(const forward::WeightSource& weights) {
  const forward::Layer layer = forward::load_layer(weights, config_, layer_, compute_, n_threads_);
  const auto hidden = static_cast<std::size_t>(config_.hidden);
  std::vector<float> states = states_;
  std::size_t first = 0;
  for (const forward::Windows& windows : batches_) {
    const std::size_t n = windows.n_tokens() * hidden;
    pass_.run(layer, windows, std::span(states).subspan(first, n),
              [](forward::Site, const linalg::Matrix&) {});
    first += n;
  }
  return states;
}

double LayerTrial::error(const forward::WeightSource& weights, const QuantizedMatrices& matrices) {
  const std::vector<float> states = run(PartlyQuantized(weights, matrices));
  const auto hidden = static_cast<std::size_t>(config_.hidden);
  double sum = 0;
  for (std::size_t token = 0; token < states.size(); token += hidden) {
    double difference = 0, size = 0;
    for (std::size_t i = token; i < token + hidden; ++i) {
      const double d = double{states[i]} - double{wanted_[i]};
      difference += d * d;
      size += double{wanted_[i]} * double{wanted_[i]};
    }
    if (size > 0) sum += difference / size;
  }
  return sum / static_cast<double>(states.size() / hidden);
}

}  // namespace lq::awq
