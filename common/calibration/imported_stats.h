#pragma once
// Statistics that come from an importance matrix in place of a forward pass: means of squares, and
// nothing else.

#include <cstddef>

#include "common/calibration/importance_matrix.h"
#include "common/calibration/layer_stats.h"
#include "common/model/checkpoint.h"

namespace lq::calibration {

/// Whether it has an entry for the output head; llama.cpp makes one on request only.
bool knows_head(const ImportanceMatrix& matrix, const model::Checkpoint& checkpoint);

/// Step s as of Calibrator. All linear layers of a site have the same inputs, so the first that has
/// an entry speaks for it. Sums are those of one token. Throws ValidationError for a site without
/// entry, or one of another width.
LayerStats imported_stats(const ImportanceMatrix& matrix, const model::Checkpoint& checkpoint,
                          std::size_t s);

}  // namespace lq::calibration
