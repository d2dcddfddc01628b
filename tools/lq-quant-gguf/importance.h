#pragma once
// The importance matrix a user gives, made to fit the model it is used for.

#include <span>
#include <string>

#include "common/calibration/importance_matrix.h"
#include "common/mix/type_mix.h"
#include "common/model/gguf_model.h"
#include "common/stage/run_stage.h"

namespace lq::quant_gguf {

/// Reads the file, checks every entry against its tensor and puts the floor under it. Warns of
/// tensors without an entry and of raised values. Throws ValidationError, naming all misfits, when
/// the matrix is of another model.
calibration::ImportanceMatrix read_fitting_importance(const std::string& path,
                                                      std::span<const model::GgufTensor> tensors,
                                                      stage::StageObserver& observer);

/// Throws ValidationError, naming all of them, when tensors that cannot be made without importance
/// have no entry.
void require_importance(const calibration::ImportanceMatrix& matrix,
                        std::span<const model::GgufTensor> tensors, const mix::FileType& file_type,
                        std::span<const mix::TensorChoice> choices);

}  // namespace lq::quant_gguf
