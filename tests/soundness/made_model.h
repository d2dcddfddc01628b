#pragma once
// Quantized directories with one layer, as other programs write them: each linear of the bundled
// model's first layer rounded to nearest, in any of the formats, with the configuration to order and
// any spoilt in one way. Nothing of the quantizers is used.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "common/hf/format.h"
#include "common/model/checkpoint.h"
#include "common/safetensors/reader.h"
#include "common/tensor/convert.h"
#include "tests/support/scratch.h"

namespace lq::testing {

struct MadeModel {
  // What to make, by the names of the formats.
  std::string format = "gptq";
  hf::Scheme scheme = {4, 128, true};
  bool signed_scales = false;
  bool shuffled = false;  // columns in groups of their own
  bool output = false;    // quantize the output matrix too
  std::string skip = "^$";
  tensor::DType float_dtype = tensor::DType::kF16;
  nlohmann::json config = {};            // merged into quantization_config; null removes a key
  std::vector<std::string> remove = {};  // suffixes of tensors that are left out

  struct Stored {
    safetensors::TensorSpec spec;
    std::string bytes;
  };
  std::map<std::string, Stored> tensors = {};  // what make() made, to be changed before write()
  nlohmann::json model_config = {};

  std::filesystem::path write(const ScratchDirectory& scratch) const {
    const std::filesystem::path dir = scratch.path() / "model";
    std::filesystem::create_directories(dir);
    std::vector<safetensors::TensorSpec> specs;
    std::vector<std::string> data;
    for (const auto& [name, stored] : tensors) {
      specs.push_back(stored.spec);
      data.push_back(stored.bytes);
    }
    std::ofstream(dir / "model.safetensors", std::ios::binary)
        << safetensors::serialize(specs, data);
    std::ofstream(dir / "config.json") << model_config.dump(1);
    for (const char* name : {"tokenizer.json", "tokenizer_config.json"}) {
      std::filesystem::copy_file(std::filesystem::path(LQ_TEST_DATA) / "tiny-llama" / name,
                                 dir / name, std::filesystem::copy_options::overwrite_existing);
    }
    return dir;
  }

  void make() {
    const std::filesystem::path source = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama";
    const safetensors::Reader reader(source / "model.safetensors");
    const hf::Format& row = *hf::find_format(format);
    const std::regex skipped(skip);
    std::vector<std::string> floats;
    bool has_float_output = true;
    for (const tensor::TensorInfo& info : reader.tensors()) {
      const bool in_layers = info.name.starts_with("model.layers.");
      if (in_layers && !info.name.starts_with("model.layers.0.")) continue;
      std::vector<std::byte> bytes(info.n_bytes);
      reader.read(info, 0, bytes);
      std::vector<float> values(info.n_elems);
      tensor::widen_to_f32(info.dtype, bytes, values);
      const std::string stem = info.name.substr(0, info.name.size() - 7);
      const bool is_output = info.name == "lm_head.weight";
      const bool is_linear = (in_layers && info.shape.size() == 2) || is_output;
      if (!is_linear || (is_output && !output) || std::regex_search(stem, skipped)) {
        if (is_linear && !is_output) floats.push_back(stem);
        put_float(info.name, info.shape, values);
        continue;
      }
      has_float_output &= !is_output;
      put_linear(row, stem, static_cast<std::size_t>(info.shape[0]),
                 static_cast<std::size_t>(info.shape[1]), values);
    }
    std::erase_if(tensors, [&](const auto& entry) {
      return std::ranges::any_of(
          remove, [&](const std::string& end) { return entry.first.ends_with(end); });
    });
    make_config(source, floats, has_float_output);
  }

 private:
  void put_float(const std::string& name, const tensor::Shape& shape,
                 const std::vector<float>& values) {
    std::string bytes(values.size() * 2, '\0');
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t bits = narrowed(values[i]);
      std::memcpy(bytes.data() + 2 * i, &bits, 2);
    }
    tensors[name] = {{name, float_dtype, shape}, std::move(bytes)};
  }
  std::uint16_t narrowed(float value) const {
    return float_dtype == tensor::DType::kF16 ? tensor::f32_to_f16(value)
                                              : tensor::f32_to_bf16(value);
  }

  void put_linear(const hf::Format& row, const std::string& stem, std::size_t rows,
                  std::size_t columns, const std::vector<float>& values) {
    tensor::QuantizedMatrix matrix(rows, columns, scheme.columns_per_group(columns), scheme.bits);
    if (shuffled) {
      matrix.group_of.resize(columns);
      for (std::size_t c = 0; c < columns; ++c) {
        matrix.group_of[c] = static_cast<std::int32_t>(c / scheme.columns_per_group(columns));
      }
      std::mt19937 random(1);
      std::ranges::shuffle(matrix.group_of, random);
    }
    const std::size_t groups = matrix.n_groups();
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t g = 0; g < groups; ++g) {
        round_group(row, matrix, values, r, g);
      }
    }
    hf::Module module;
    module.name = stem;
    module.rows = rows;
    module.columns = columns;
    module.scheme = scheme;
    const auto specs = row.tensors(module, float_dtype);
    const auto data = row.encode(matrix, scheme, float_dtype, 1);
    for (std::size_t i = 0; i < specs.size(); ++i) {
      tensors[specs[i].name] = {specs[i],
                                {reinterpret_cast<const char*>(data[i].data()), data[i].size()}};
    }
  }

  void round_group(const hf::Format& row, tensor::QuantizedMatrix& matrix,
                   const std::vector<float>& values, std::size_t r, std::size_t g) const {
    float low = 0, high = 0;
    for (std::size_t c = 0; c < matrix.columns; ++c) {
      if (static_cast<std::size_t>(matrix.group(c)) != g) continue;
      low = std::min(low, values[r * matrix.columns + c]);
      high = std::max(high, values[r * matrix.columns + c]);
    }
    const int top = (1 << scheme.bits) - 1;
    float scale = (high - low) / static_cast<float>(top);
    if (scheme.symmetric) scale = 2 * std::max(high, -low) / static_cast<float>(top);
    if (scheme.symmetric && signed_scales) {
      scale = -(high > -low ? high : low) / static_cast<float>(1 << (scheme.bits - 1));
    }
    const bool in_half = row.scale_dtype(float_dtype) == tensor::DType::kF16;
    scale = in_half ? tensor::f16_to_f32(tensor::f32_to_f16(scale))
                    : tensor::bf16_to_f32(tensor::f32_to_bf16(scale));
    const float zero =
        scheme.symmetric ? static_cast<float>(1 << (scheme.bits - 1))
                         : std::clamp(std::nearbyint(-low / scale),
                                      static_cast<float>(row.lowest_zero), static_cast<float>(top));
    matrix.scales[r * matrix.n_groups() + g] = scale;
    matrix.zeros[r * matrix.n_groups() + g] = static_cast<std::uint8_t>(zero);
    for (std::size_t c = 0; c < matrix.columns; ++c) {
      if (static_cast<std::size_t>(matrix.group(c)) != g) continue;
      const float code = std::nearbyint(values[r * matrix.columns + c] / scale) + zero;
      matrix.codes[r * matrix.columns + c] =
          static_cast<std::uint8_t>(std::clamp(code, 0.0F, static_cast<float>(top)));
    }
  }

  void make_config(const std::filesystem::path& source, const std::vector<std::string>& floats,
                   bool has_float_output) {
    nlohmann::json object;
    const auto size = hf::stated_group_size(scheme);
    if (format == "awq") {
      object = {{"quant_method", "awq"}, {"bits", scheme.bits},
                {"group_size", size},    {"zero_point", true},
                {"version", "gemm"},     {"modules_to_not_convert", nullptr}};
      if (!floats.empty()) object["modules_to_not_convert"] = floats;
      if (!has_float_output) object["lm_head"] = true;
    } else if (format == "compressed-tensors") {
      std::vector<std::string> ignored = floats;
      if (has_float_output) ignored.emplace_back("lm_head");
      object = {{"quant_method", "compressed-tensors"},
                {"format", "pack-quantized"},
                {"ignore", ignored},
                {"config_groups",
                 {{"group_0",
                   {{"targets", {"Linear"}},
                    {"weights",
                     {{"num_bits", scheme.bits},
                      {"type", "int"},
                      {"symmetric", scheme.symmetric},
                      {"strategy", size < 0 ? "channel" : "group"},
                      {"group_size", size < 0 ? nlohmann::json() : nlohmann::json(size)},
                      {"actorder", nullptr}}}}}}}};
    } else {
      object = {{"quant_method", "gptq"},      {"bits", scheme.bits},
                {"group_size", size},          {"sym", scheme.symmetric},
                {"desc_act", false},           {"lm_head", !has_float_output},
                {"checkpoint_format", format}, {"pack_dtype", "int32"}};
    }
    if (config.is_object()) object.merge_patch(config);
    std::ifstream in(source / "config.json");
    model_config = nlohmann::json::parse(in);
    model_config["num_hidden_layers"] = 1;
    model_config["torch_dtype"] = float_dtype == tensor::DType::kF16 ? "float16" : "bfloat16";
    model_config["quantization_config"] = object;
  }
};

}  // namespace lq::testing
