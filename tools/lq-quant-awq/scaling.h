#pragma once
// Scales of channels, chosen for each layer before it is quantized and folded into its weights.

#include <cstdint>
#include <string>

#include "common/awq/choose_scales.h"
#include "common/awq/scaled_weights.h"
#include "common/quantizer/job.h"
#include "common/quantizer/layer_preparation.h"
#include "tools/lq-quant-awq/options.h"

namespace lq::quant_awq {

/// What choosing the scales of a layer takes beside its statistics.
std::uint64_t scaling_bytes(const quantizer::Job& job, const Options& options, int n_threads);

class Scaling : public quantizer::LayerPreparation {
 public:
  /// `job` is referred to. REQUIRES: it has a calibration.
  Scaling(const quantizer::Job& job, const Options& options, int n_threads);

  std::string prepare(int layer, calibration::LayerStats& stats) override;
  const forward::WeightSource& weights() const override { return weights_; }

 private:
  const quantizer::Job& job_;
  const int n_threads_;
  awq::ScaledWeights weights_;
  awq::ChoiceSettings settings_;
  forward::Windows sample_;
};

}  // namespace lq::quant_awq
