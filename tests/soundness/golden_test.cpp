// Linears as GPTQModel, AutoAWQ and llm-compressor stored them, in the place of two linears of a
// directory: what others write has no faults.

#include <gtest/gtest.h>

#include "tests/soundness/made_model.h"
#include "tests/soundness/shown.h"

namespace lq::testing {
namespace {

struct Golden {
  const char* name;
  const char* format;
  hf::Scheme scheme;
};

constexpr Golden kGoldens[] = {
    {"gptq-w4g128-sym-v1", "gptq", {4, 128, true}},
    {"gptq-w4g128-asym-v1", "gptq", {4, 128, false}},
    {"gptq-w4g128-asym-v2", "gptq_v2", {4, 128, false}},
    {"gptq-w4g128-desc_act", "gptq", {4, 128, true}},
    {"gptq-w3g128-sym-v1", "gptq", {3, 128, true}},
    {"gptq-w3g128-asym-v2", "gptq_v2", {3, 128, false}},
    {"gptq-w2g128-sym-v1", "gptq", {2, 128, true}},
    {"gptq-w8g128-sym-v1", "gptq", {8, 128, true}},
    {"awq-w4g128-autoawq", "awq", {4, 128, false}},
    {"ct-w4g128-sym-rtn", "compressed-tensors", {4, 128, true}},
    {"ct-w4g128-sym-gptq", "compressed-tensors", {4, 128, true}},
};

TEST(SoundnessGoldens, OfOtherProgramsHaveNoFaults) {
  const std::filesystem::path goldens = std::filesystem::path(LQ_TEST_DATA) / "awq-gptq";
  for (const Golden& golden : kGoldens) {
    SCOPED_TRACE(golden.name);
    const std::string name = golden.name;
    MadeModel model{.format = golden.format, .scheme = golden.scheme};
    if (name.starts_with("ct-")) model.float_dtype = tensor::DType::kBF16;
    model.make();
    const safetensors::Reader reader(goldens / (name + ".safetensors"));
    std::size_t n_replaced = 0;
    for (const tensor::TensorInfo& info : reader.tensors()) {
      if (info.name.ends_with(".dequantized")) continue;
      std::string bytes(info.n_bytes, '\0');
      reader.read(info, 0, std::as_writable_bytes(std::span(bytes)));
      n_replaced += model.tensors.contains(info.name) ? 1 : 0;
      model.tensors[info.name] = {{info.name, info.dtype, info.shape}, std::move(bytes)};
    }
    EXPECT_GE(n_replaced, 6u);
    model.model_config["quantization_config"] =
        nlohmann::json::parse(read_file(goldens / "config" / (name + ".quantization_config.json")));
    const ScratchDirectory scratch;
    const soundness::Soundness result = soundness::check(model.write(scratch), {});
    EXPECT_EQ(shown(result), "");
    EXPECT_EQ(result.scheme, hf::describe(golden.scheme));
  }
}

}  // namespace
}  // namespace lq::testing
