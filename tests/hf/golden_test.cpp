// Linears that GPTQModel, AutoAWQ and llm-compressor wrote, with the weights that these libraries
// compute from them: tests/data/awq-gptq.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/hf/format.h"
#include "common/io/json_file.h"
#include "common/safetensors/reader.h"
#include "common/tensor/convert.h"
#include "tests/hf/stored_formats.h"

namespace lq::hf {
namespace {

using tensor::DType;

const std::filesystem::path kGoldens = LQ_TEST_DATA "/awq-gptq";
constexpr std::array kModules = {"model.layers.0.self_attn.k_proj",
                                 "model.layers.0.self_attn.o_proj"};

struct Golden {
  const char* name;
  const char* format;
  Scheme scheme;
  bool permuted = false;
};

constexpr std::array kFiles = {
    Golden{"gptq-w2g128-sym-v1", "gptq", {2, 128, true}},
    Golden{"gptq-w3g128-sym-v1", "gptq", {3, 128, true}},
    Golden{"gptq-w3g128-asym-v2", "gptq_v2", {3, 128, false}},
    Golden{"gptq-w4g128-sym-v1", "gptq", {4, 128, true}},
    Golden{"gptq-w4g128-asym-v1", "gptq", {4, 128, false}},
    Golden{"gptq-w4g128-asym-v2", "gptq_v2", {4, 128, false}},
    Golden{"gptq-w4g128-desc_act", "gptq", {4, 128, true}, true},
    Golden{"gptq-w8g128-sym-v1", "gptq", {8, 128, true}},
    Golden{"ct-w4g128-sym-rtn", "compressed-tensors", {4, 128, true}},
    Golden{"ct-w4g128-sym-gptq", "compressed-tensors", {4, 128, true}},
    Golden{"awq-w4g128-autoawq", "awq", {4, 128, false}},
};

/// The libraries multiply in the type of the scales.
float rounded(float value, DType dtype) {
  return dtype == DType::kF16 ? tensor::f16_to_f32(tensor::f32_to_f16(value))
                              : tensor::bf16_to_f32(tensor::f32_to_bf16(value));
}

template <class Element>
std::vector<Element> read_all(const tensor::TensorSource& source, const std::string& name) {
  const tensor::TensorInfo& info = *source.find(name);
  std::vector<Element> out(info.n_bytes / sizeof(Element));
  source.read(info, 0, std::as_writable_bytes(std::span(out)));
  return out;
}

class StoredByOthers : public ::testing::TestWithParam<Golden> {
 protected:
  safetensors::Reader source{kGoldens / (std::string(GetParam().name) + ".safetensors")};
  const Format& format = *find_format(GetParam().format);
  const DType dtype = format.scale_dtype(DType::kBF16);
};

TEST_P(StoredByOthers, HasTheWeightsThatTheirLibraryComputes) {
  for (const std::string module : kModules) {
    const tensor::QuantizedMatrix m = format.decode(source, module, GetParam().scheme);
    const std::vector<float> wanted = read_all<float>(source, module + ".dequantized");
    ASSERT_EQ(wanted.size(), m.rows * m.columns);
    std::size_t n_differ = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const float ours = rounded(m.value(i / m.columns, i % m.columns), dtype);
      if (ours != wanted[i]) ++n_differ;
    }
    EXPECT_EQ(n_differ, 0U) << module;
    EXPECT_EQ(!m.group_of.empty(), GetParam().permuted) << module;
  }
}

TEST_P(StoredByOthers, IsWrittenBackWordForWord) {
  for (const std::string module : kModules) {
    const tensor::QuantizedMatrix m = format.decode(source, module, GetParam().scheme);
    const auto specs =
        format.tensors(testing::module_of(m, GetParam().scheme, module), DType::kBF16);
    const auto data = format.encode(m, GetParam().scheme, DType::kBF16, 1);
    std::size_t n_stored = 0;
    for (const tensor::TensorInfo& info : source.tensors()) {
      n_stored += info.name.starts_with(module + ".") && !info.name.ends_with(".dequantized");
    }
    EXPECT_EQ(specs.size(), n_stored);
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const tensor::TensorInfo* info = source.find(specs[i].name);
      ASSERT_NE(info, nullptr) << specs[i].name;
      EXPECT_EQ(info->shape, specs[i].shape) << specs[i].name;
      EXPECT_EQ(info->dtype, specs[i].dtype) << specs[i].name;
      EXPECT_EQ(data[i], read_all<std::byte>(source, specs[i].name)) << specs[i].name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Goldens, StoredByOthers, ::testing::ValuesIn(kFiles),
                         [](const auto& test) {
                           std::string name = test.param.name;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace lq::hf
