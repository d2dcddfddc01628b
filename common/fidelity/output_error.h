#pragma once
// What the error of a linear does to its outputs, from the statistics of its inputs.

#include <optional>

#include "common/calibration/layer_stats.h"
#include "common/fidelity/folds.h"
#include "common/fidelity/tensor_pair.h"

namespace lq::fidelity {

/// tr(E H E^T) / tr(W H W^T), where scales are undone. H is the Gram matrix of the inputs, or of it
/// the squares along the diagonal, or the diagonal, whichever was kept. None for a tensor that reads
/// no site, or one of no inputs. Throws ValidationError for values that are not finite.
std::optional<double> output_error(const TensorPair& pair, const Folds& folds,
                                   const calibration::LayerStats& stats, int n_threads);

}  // namespace lq::fidelity
