#pragma once
// The weights that a configuration implies, for directories that hold config.json and perhaps an
// index but no data: sizes can be estimated from them, nothing can be read.

#include <cstdint>
#include <filesystem>
#include <memory>

#include "common/model/architecture.h"
#include "common/tensor/tensor_source.h"

namespace lq::model {

/// No model comes near; below it, eight times the bytes (four-bit weights made float32) still fit
/// in 64 bits.
inline constexpr std::uint64_t kMaxWeightBytes = std::uint64_t{1} << 60;

/// Every tensor of the architecture's table with the shape that `config` implies, in the dtype that
/// it states (BF16 where it states none). An optional bias is there when the index of `dir`
/// names it.
/// read() throws ModelNotFoundError. Throws ValidationError when config.json leaves a dimension
/// open or implies more than kMaxWeightBytes, or the index breaks a rule, ModelNotFoundError when
/// an index is there and cannot be read.
std::unique_ptr<tensor::TensorSource> implied_weights(const std::filesystem::path& dir,
                                                      const ModelConfig& config,
                                                      const Architecture& architecture);

}  // namespace lq::model
