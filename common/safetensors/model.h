#pragma once
// The weights of a model directory: one safetensors file, or several that an index holds together.

#include <filesystem>
#include <memory>

#include "common/safetensors/header.h"
#include "common/tensor/tensor_source.h"

namespace lq::safetensors {

/// Opens `model.safetensors.index.json` with all files that it names, or `model.safetensors`, or
/// else the only .safetensors file of the directory; reads headers only. Tensors that the index
/// does not mention are left out. Throws ModelNotFoundError when there are no safetensors weights
/// (saying what there is instead) or the index names a file that is missing, ValidationError for
/// everything that is wrong with a file or between them.
std::unique_ptr<tensor::TensorSource> open_model(const std::filesystem::path& dir,
                                                 Data data = Data::kComplete);

}  // namespace lq::safetensors
