#include "common/hf/config_file.h"

#include <cassert>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/json_file.h"

namespace lq::hf {
namespace {

// Writing JSON recurses; no configuration comes near this.
constexpr int kMaxDepth = 100;

[[noreturn]] void fail(const std::string& source, std::string why) {
  throw base::ValidationError(
      fmt::format("cannot write a config.json after {}", base::escape_controls(source)),
      std::move(why), "fetch the model again");
}

/// REQUIRES: the text is valid.
nlohmann::ordered_json parse_in_order(std::string_view text, const std::string& source) {
  const nlohmann::ordered_json::parser_callback_t check = [&](int depth, auto /*event*/,
                                                              auto& /*parsed*/) {
    if (depth > kMaxDepth) fail(source, fmt::format("it is nested more than {} deep", kMaxDepth));
    return true;
  };
  return nlohmann::ordered_json::parse(text, check);
}

std::string_view dtype_name(tensor::DType dtype) {
  assert(dtype == tensor::DType::kF16 || dtype == tensor::DType::kBF16);
  return dtype == tensor::DType::kF16 ? "float16" : "bfloat16";
}

void replace_dtypes(nlohmann::ordered_json& config, std::string_view name) {
  for (const char* key : {"torch_dtype", "dtype"}) {
    if (config.contains(key)) config[key] = name;
  }
}

}  // namespace

std::string json_text(const nlohmann::ordered_json& json) { return json.dump(2) + "\n"; }

std::string config_text(std::string_view source_text, const std::string& source,
                        const nlohmann::ordered_json& quantization_config,
                        tensor::DType float_dtype) {
  // For its messages: the parser that keeps the order meets valid text only.
  if (!io::parse_json(source_text, source).is_object()) fail(source, "it is no JSON object");
  nlohmann::ordered_json config = parse_in_order(source_text, source);
  const std::string_view dtype = dtype_name(float_dtype);
  config["torch_dtype"] = dtype;
  replace_dtypes(config, dtype);
  if (config.contains("text_config") && config["text_config"].is_object()) {
    replace_dtypes(config["text_config"], dtype);
  }
  config["quantization_config"] = quantization_config;
  return json_text(config);
}

}  // namespace lq::hf
