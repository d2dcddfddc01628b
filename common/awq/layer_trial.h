#pragma once
// What becomes of some tokens in a layer that is scaled and quantized, against the original layer.

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/awq/scaled_weights.h"
#include "common/forward/layer.h"
#include "common/forward/layer_pass.h"
#include "common/tensor/quantized_matrix.h"

namespace lq::awq {

using QuantizedMatrices = std::map<model::TensorRole, tensor::QuantizedMatrix>;

class LayerTrial {
 public:
  /// `weights`, the original ones, and `config` are referred to.
  LayerTrial(const forward::WeightSource& weights, const model::ModelConfig& config, int layer,
             linalg::Compute compute, int n_threads);

  /// Takes whole windows of a sample of hidden states in bfloat16, `max_tokens` at most but no less
  /// than a window, through the original layer. False where there are none. Throws as
  /// WeightSource::read.
  bool begin(std::span<const std::uint16_t> sample, const forward::Windows& windows,
             std::size_t max_tokens);

  /// Mean over the tokens of |difference|^2 / |hidden state|^2 behind the layer, with `matrices` in
  /// the place of what `weights` has of their roles. Throws as WeightSource::read.
  double error(const forward::WeightSource& weights, const QuantizedMatrices& matrices);

 private:
  std::vector<float> run(const forward::WeightSource& weights);

  const forward::WeightSource& weights_;
  const model::ModelConfig& config_;
  const int layer_, n_threads_;
  const linalg::Compute compute_;
  forward::LayerPass pass_;
  std::vector<forward::Windows> batches_;
  std::vector<float> states_, wanted_;  // [n_tokens, hidden]: before the layer, and behind it
};

}  // namespace lq::awq
