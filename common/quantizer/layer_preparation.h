#pragma once
// What a tool makes of a layer's weights before they are quantized, such as scales that are folded in.

#include <string>

#include "common/calibration/layer_stats.h"
#include "common/forward/weights.h"

namespace lq::quantizer {

class LayerPreparation {
 public:
  virtual ~LayerPreparation() = default;
  /// Prepares a layer's weights and makes `stats` those of what they then read. Returns what there is
  /// to say, or nothing. Layers come in any order, one at a time; the result depends on the layer
  /// alone.
  virtual std::string prepare(int layer, calibration::LayerStats& stats) = 0;
  /// The model with the layer that was prepared last.
  virtual const forward::WeightSource& weights() const = 0;
};

}  // namespace lq::quantizer
