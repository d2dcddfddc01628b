#pragma once
// The scales of a layer. Sites are searched each on the layer's original weights and statistics,
// then scaled together.
//
// Which search to believe, if any, shows on tokens of the calibration's sample: statistics are made
// less those tokens, the layer is scaled and quantized with them, and what leaves it compared with
// what leaves the original layer. The error is that of the hidden states, each token's over its
// size, which the next layer divides it by.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/awq/scale_search.h"
#include "common/awq/scaled_weights.h"
#include "common/calibration/layer_stats.h"
#include "common/calibration/windows.h"
#include "common/forward/layer_pass.h"
#include "common/tensor/quantized_matrix.h"

namespace lq::awq {

enum class ScaleMode : std::uint8_t { kNone, kGrid, kSmooth, kAuto };

/// Quantizes rows under H, of weights and inputs that are scaled.
using Quantize = std::function<tensor::QuantizedMatrix(
    const solve::FactoredGram& h, std::size_t rows, const solve::ReadRows& read)>;

struct ChoiceSettings {
  ScaleMode mode = ScaleMode::kAuto;
  SearchSettings search;  // its n_threads are those of all
  solve::Damping damping = {};
  tensor::DType norm_type = tensor::DType::kBF16;  // in which norms are stored
  /// Whether the linear layers of a role are quantized; a site that none of them reads is not scaled.
  std::function<bool(model::TensorRole)> is_quantized;
  std::vector<ScaleMode> tried = {ScaleMode::kGrid, ScaleMode::kSmooth};  // of kAuto, beside kNone
  Quantize quantize;         // of kAuto; of moderate effort will do
  double least_gain = 0.05;  // of kAuto: share of the error by which scales must lower it; less
                             // of it is chance in small layers
  linalg::Compute compute = linalg::Compute::kBf16;
};

struct SiteChoice {
  forward::Site site;
  double loss_of_identity = 0, loss = 0;  // of the search
};

struct LayerChoice {
  ScaleMode mode = ScaleMode::kNone;  // never kAuto
  LayerScales scales;                 // rounded to norms
  std::vector<SiteChoice> sites;      // that were scaled

  struct Trial {
    ScaleMode mode;
    double error;  // mean over the tokens of |difference|^2 / |hidden state|^2
  };
  std::vector<Trial> trials;  // of kAuto, kNone first; empty where none were made
  std::string note;           // why not, else empty
};

/// `stats` have full Gram matrices; `sample` is how the tokens of their sample make windows
/// (sample_windows()), of use for kAuto alone. Throws as WeightSource::read.
LayerChoice choose_scales(const forward::WeightSource& weights, const model::ModelConfig& config,
                          int layer, const calibration::LayerStats& stats,
                          const forward::Windows& sample, const ChoiceSettings& settings);

/// The windows of which a sample of `n_tokens` is: those of the first lane, the last may be cut.
forward::Windows sample_windows(const calibration::TokenWindows& windows, std::size_t n_lanes,
                                std::size_t n_tokens);

}  // namespace lq::awq
