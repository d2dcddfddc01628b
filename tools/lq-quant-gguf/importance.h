#pragma once
// The importance matrix a user gives, made to fit the model it is used for.

#include <optional>
#include <span>
#include <string>

#include "common/calibration/importance_matrix.h"
#include "common/mix/type_mix.h"
#include "common/model/gguf_model.h"
#include "common/stage/run_stage.h"
#include "tools/lq-quant-gguf/options.h"

namespace lq::quant_gguf {

/// Importance, and the input that it came from.
struct ImportanceRead {
  calibration::ImportanceMatrix matrix;
  stage::Input input;
};

/// From the file of --imatrix or the directory of --calibration; empty when there is neither.
/// `model_id` is the content id of the model. Throws ModelNotFoundError, ValidationError.
std::optional<ImportanceRead> read_importance(const Options& options,
                                              const model::Checkpoint& checkpoint,
                                              const std::string& model_id);

/// Checks every entry against its tensor and puts the floor under it. Warns of tensors without an
/// entry and of raised values. Throws ValidationError, naming all misfits, when the matrix is of
/// another model; `source` names it.
void fit_importance(calibration::ImportanceMatrix& matrix, const std::string& source,
                    std::span<const model::GgufTensor> tensors, stage::StageObserver& observer);

/// Throws ValidationError, naming all of them, when tensors that cannot be made without importance
/// have no entry.
void require_importance(const calibration::ImportanceMatrix& matrix,
                        std::span<const model::GgufTensor> tensors, const mix::FileType& file_type,
                        std::span<const mix::TensorChoice> choices);

}  // namespace lq::quant_gguf
