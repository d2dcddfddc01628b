#pragma once
// The config.json of a quantized model: that of the source with `quantization_config` added and the
// type of the float tensors set; everything else as it was, in its order.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/tensor/dtype.h"

namespace lq::hf {

/// `torch_dtype` is always set, because runtimes take the type of the scales from it; `dtype` where
/// the source has that spelling; both also inside `text_config` where they are there. A
/// `quantization_config` goes to the top level, where runtimes look first. `source` names the text
/// in messages. Throws ValidationError when it is no JSON object, or nested beyond all use.
std::string config_text(std::string_view source_text, const std::string& source,
                        const nlohmann::ordered_json& quantization_config,
                        tensor::DType float_dtype);

/// JSON as these files have it: indented by two, a line end behind it.
std::string json_text(const nlohmann::ordered_json& json);

}  // namespace lq::hf
