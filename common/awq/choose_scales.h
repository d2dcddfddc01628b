#pragma once
// The scales of a layer. Sites are searched each on the layer's original weights and statistics,
// then scaled together.
//
// Whether scales do any good shows in a trial on tokens of the calibration's sample: the layer is
// rounded to nearest, as it is and scaled, and what leaves it compared with what leaves the original
// layer. The error is that of the hidden states, each token's over its size, which the next layer
// divides it by. A search has no more than two numbers for each site to fit, so that nothing need be
// held out; and rounding takes a small part of the time of a solution, but gains more by scales than
// that does, so that a small gain is none.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/awq/scale_search.h"
#include "common/awq/scaled_weights.h"
#include "common/calibration/layer_stats.h"
#include "common/calibration/windows.h"
#include "common/forward/layer_pass.h"

namespace lq::awq {

enum class ScaleMode : std::uint8_t { kNone, kGrid, kSmooth, kAuto };

struct ChoiceSettings {
  ScaleMode mode = ScaleMode::kAuto;
  SearchSettings search;  // its n_threads are those of all
  solve::Damping damping = {};
  tensor::DType norm_type = tensor::DType::kBF16;  // in which norms are stored
  /// Whether the linear layers of a role are quantized; a site that none of them reads is not scaled.
  IsMade is_quantized;
  std::size_t trial_tokens = 2048;  // of kAuto
  double least_gain = 0.12;         // of kAuto: share of the error by which scales must lower it
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
  std::vector<Trial> trials;  // of kAuto, kNone first; empty where there was nothing to try
  std::string note;           // why a site was not scaled or nothing tried, else empty
};

/// `stats` have full Gram matrices; `sample` is how the tokens of their sample make windows
/// (sample_windows()), of use for kAuto alone. Throws as WeightSource::read.
LayerChoice choose_scales(const forward::WeightSource& weights, const model::ModelConfig& config,
                          int layer, const calibration::LayerStats& stats,
                          const forward::Windows& sample, const ChoiceSettings& settings);

/// What searching the scales of a site of so many channels takes at its peak.
std::uint64_t search_bytes(ScaleMode mode, std::size_t columns, int n_threads);

/// The windows of which a sample of `n_tokens` is: those of the first lane, the last may be cut.
forward::Windows sample_windows(const calibration::TokenWindows& windows, std::size_t n_lanes,
                                std::size_t n_tokens);

}  // namespace lq::awq
