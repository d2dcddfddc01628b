#include "common/hf/result_card.h"

#include <gtest/gtest.h>

#include "common/model/model_card.h"
#include "tests/model/checkpoint_files.h"

namespace lq::hf {
namespace {

using testing::ScratchDirectory;

CardFacts some_facts(const QuantizationFacts& quantization) {
  CardFacts facts;
  facts.title = "tiny, GPTQ 4 bits";
  facts.method = "Made with lq-quant-gptq.";
  facts.format = find_format("gptq_v2");
  facts.quantization = &quantization;
  facts.settings = {{"damping", "0.01"}, {"texts", "a|b"}};
  facts.errors = {{"q_proj", 6, 0.012345, 0.02}, {"down_proj", 6, 0.5, std::nullopt}};
  facts.verdicts = {{"vLLM on a CPU", false, "it refuses", {}, ""},
                    {"transformers", true, "", {}, ""}};
  facts.unknown_tensors = {"mtp.fc.weight"};
  return facts;
}

QuantizationFacts some_quantization() {
  QuantizationFacts quantization;
  quantization.scheme = {4, 128, true};
  quantization.modules = {
      {"a.q_proj", model::TensorRole::kAttnQ, 0, 32, 128, quantization.scheme, ""},
      {"a.down_proj", model::TensorRole::kFfnDown, 0, 32, 100, std::nullopt, "it has 100 columns"}};
  return quantization;
}

TEST(ResultCard, SaysAncestrySettingsErrorsAndHowToLoad) {
  const ScratchDirectory scratch;
  const auto source = testing::small_checkpoint(scratch);
  scratch.write(
      "README.md",
      "---\nlicense: other\nlicense_name: a \"b\"\nlanguage: [en, de]\nbase_model: x/y\n---\n");
  scratch.write("lq-manifest.json", R"({"origin": {"repo": "ns/tiny", "commit": "1"}})");
  const QuantizationFacts quantization = some_quantization();
  EXPECT_EQ(result_card(source, some_facts(quantization)), R"(---
license: "other"
license_name: "a \"b\""
base_model:
- "ns/tiny"
base_model_relation: quantized
language:
- "en"
- "de"
library_name: transformers
pipeline_tag: text-generation
tags:
- "gptq"
- "4-bit"
- "lq"
---

# tiny, GPTQ 4 bits

Made with lq-quant-gptq.

## Settings

| setting | value |
| --- | --- |
| format | gptq_v2 |
| scheme | 4 bits, groups of 128, symmetric |
| damping | 0.01 |
| texts | a\|b |

## Linears of another scheme

- a.down\_proj: float, it has 100 columns

## Output error

tr(E H E^T) / tr(W H W^T), summed over the linears of a role: H is the damped sum of x x^T of what they read on the calibration texts, E is W - Q, and W is what was to be met, scaled or corrected where that was done.

| linears | number | error | rounding to nearest |
| --- | --- | --- | --- |
| q\_proj | 6 | 0.0123 | 0.02 |
| down\_proj | 6 | 0.5 | |

## Loading

- vLLM on a CPU: no, it refuses
- transformers: loads

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("./THIS_DIRECTORY")
model = AutoModelForCausalLM.from_pretrained("./THIS_DIRECTORY", dtype="auto")
```

## Tensors copied as they are

- mtp.fc.weight
)");
  scratch.write("README.md", result_card(source, some_facts(quantization)));
  const model::ModelCard back = model::read_model_card(scratch.path());
  EXPECT_EQ(back.license_name, "a \"b\"");
  EXPECT_EQ(back.base_models, std::vector<std::string>{"ns/tiny"});
}

TEST(ResultCard, KeepsTheAncestryOfTheCardWhereNothingTellsTheRepository) {
  const ScratchDirectory scratch;
  const auto source = testing::small_checkpoint(scratch);
  const QuantizationFacts quantization = some_quantization();
  CardFacts facts = some_facts(quantization);
  facts.verdicts = {{"vLLM on a GPU", true, "", {1, 2}, ""}};
  facts.errors.clear();
  std::string card = result_card(source, facts);
  EXPECT_EQ(card.find("base_model"), std::string::npos);
  EXPECT_EQ(card.find("Output error"), std::string::npos);
  EXPECT_EQ(card.find("from transformers"), std::string::npos);
  EXPECT_NE(card.find("vllm serve ./THIS_DIRECTORY"), std::string::npos);
  EXPECT_EQ(card.find(scratch.path().filename().string()), std::string::npos);
  scratch.write("README.md", "---\nbase_model: x/y\n---\n");
  card = result_card(source, facts);
  EXPECT_NE(card.find("base_model:\n- \"x/y\"\n"), std::string::npos);
}

TEST(ResultCard, ShowsNamesOfOthersAsPlainText) {
  const ScratchDirectory scratch;
  const auto source = testing::small_checkpoint(scratch);
  const QuantizationFacts quantization = some_quantization();
  CardFacts facts = some_facts(quantization);
  facts.unknown_tensors = {"a\n# <b>"};
  for (int i = 0; i < 30; ++i) facts.unknown_tensors.push_back("t" + std::to_string(i));
  const std::string card = result_card(source, facts);
  EXPECT_NE(card.find("- a # \\<b\\>\n"), std::string::npos);
  EXPECT_NE(card.find("- t18\n- and 11 more\n"), std::string::npos);
}

}  // namespace
}  // namespace lq::hf
