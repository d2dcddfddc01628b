#include "common/hf/runtimes.h"

#include <gtest/gtest.h>

namespace lq::hf {
namespace {

using model::TensorRole;

struct Case {
  Scheme scheme = {4, 128, true};
  const char* format = "gptq";
  std::int64_t hidden = 4096, ffn = 14336, n_heads = 32, n_kv_heads = 8;
  QuantizationFacts facts = {};
  model::ModelConfig config = {};

  void fill() {
    const auto h = static_cast<std::size_t>(hidden), f = static_cast<std::size_t>(ffn);
    const std::size_t kv =
        h / static_cast<std::size_t>(n_heads) * static_cast<std::size_t>(n_kv_heads);
    facts.scheme = scheme;
    facts.modules = {
        {"model.layers.0.self_attn.q_proj", TensorRole::kAttnQ, 0, h, h, scheme, ""},
        {"model.layers.0.self_attn.k_proj", TensorRole::kAttnK, 0, kv, h, scheme, ""},
        {"model.layers.0.self_attn.v_proj", TensorRole::kAttnV, 0, kv, h, scheme, ""},
        {"model.layers.0.self_attn.o_proj", TensorRole::kAttnOutput, 0, h, h, scheme, ""},
        {"model.layers.0.mlp.gate_proj", TensorRole::kFfnGate, 0, f, h, scheme, ""},
        {"model.layers.0.mlp.up_proj", TensorRole::kFfnUp, 0, f, h, scheme, ""},
        {"model.layers.0.mlp.down_proj", TensorRole::kFfnDown, 0, h, f, scheme, ""},
        {"lm_head", TensorRole::kOutput, -1, 32000, h, std::nullopt, ""}};
    config.n_heads = n_heads;
    config.n_kv_heads = n_kv_heads;
  }
  std::vector<std::string> sentences() const {
    std::vector<std::string> all;
    for (const Verdict& verdict : runtime_verdicts(*find_format(format), facts, config)) {
      all.push_back(sentence(verdict));
    }
    return all;
  }
};

std::vector<std::string> sentences(const char* format, const Scheme& scheme) {
  Case model{.scheme = scheme, .format = format};
  model.fill();
  return model.sentences();
}

using Lines = std::vector<std::string>;
const std::string kSizes = "tensor-parallel 1, 2, 4, 8, 16";

TEST(Runtimes, AllLoadTheCommonSchemes) {
  EXPECT_EQ(sentences("gptq", {4, 128, true}),
            (Lines{"vLLM on a CPU: loads, " + kSizes, "vLLM on a GPU: loads, " + kSizes,
                   "transformers: loads (through GPTQModel)"}));
  EXPECT_EQ(sentences("compressed-tensors", {4, 64, false})[1], "vLLM on a GPU: loads, " + kSizes);
  EXPECT_EQ(sentences("awq", {4, 128, false})[2], "transformers: loads (through GPTQModel)");
}

TEST(Runtimes, RefuseWhatTheySaidTheyRefuse) {
  const std::string cpu = "vLLM on a CPU: no, ", gpu = "vLLM on a GPU: no, ";
  auto lines = sentences("gptq_v2", {4, 128, false});
  EXPECT_EQ(lines[0], cpu + "it refuses asymmetric grids in this format");
  EXPECT_EQ(lines[1], gpu + "it refuses asymmetric grids in this format");
  EXPECT_EQ(lines[2], "transformers: loads (through GPTQModel)");
  lines = sentences("gptq", {3, 128, true});
  EXPECT_EQ(lines[0], cpu + "it refuses 2 and 3 bits in this format");
  EXPECT_EQ(lines[1], gpu + "it refuses 2 and 3 bits in this format");
  lines = sentences("gptq", {8, 128, true});
  EXPECT_EQ(lines[0], cpu + "its kernels for a CPU take 4 bits only");
  EXPECT_EQ(lines[1], "vLLM on a GPU: loads, " + kSizes);
  lines = sentences("gptq", {4, 16, true});
  EXPECT_EQ(lines[0], cpu + "its kernels take whole rows and groups of 32, 64 and 128 only");
  lines = sentences("compressed-tensors", {4, 16, true});
  EXPECT_EQ(lines[0], "vLLM on a CPU: loads, " + kSizes);
  EXPECT_EQ(lines[1], gpu + "its kernels take whole rows and groups of 32, 64 and 128 only");
  lines = sentences("compressed-tensors", {2, 128, false});
  EXPECT_EQ(lines[0], cpu + "its kernels for a CPU take 4 bits only");
  EXPECT_EQ(lines[1], gpu + "it takes asymmetric grids of 4 and 8 bits only");
  lines = sentences("compressed-tensors", {3, 128, true});
  EXPECT_EQ(lines[1], "vLLM on a GPU: loads (2 and 3 bits need its Humming kernels), " + kSizes);
  EXPECT_EQ(lines[2],
            "transformers: no, its compressed-tensors library unpacks 3 bits from ten codes a "
            "word, not from one stream");
}

TEST(Runtimes, TakeGroupsByImportanceOnlyForWholeRows) {
  Case model;
  model.fill();
  model.facts.desc_act = true;
  EXPECT_EQ(model.sentences()[1],
            "vLLM on a GPU: no, it no longer takes columns grouped by importance (desc_act with "
            "groups)");
  EXPECT_EQ(model.sentences()[2], "transformers: loads (through GPTQModel)");
  model.scheme.group_size = 0;
  model.fill();
  EXPECT_EQ(model.sentences()[0], "vLLM on a CPU: loads, " + kSizes);
}

TEST(Runtimes, SayWhatTransformersDoesNotReadInGptq) {
  Case model;
  model.fill();
  model.facts.modules[6].scheme.reset();
  EXPECT_EQ(model.sentences()[0], "vLLM on a CPU: loads, " + kSizes);
  EXPECT_EQ(model.sentences()[2],
            "transformers: no, it does not read the rules for modules that stay float (dynamic: "
            "model.layers.0.mlp.down_proj)");
  model.fill();
  model.facts.modules[6].scheme = Scheme{8, 128, true};
  EXPECT_EQ(model.sentences()[0],
            "vLLM on a CPU: no, its kernels for a CPU take 4 bits only "
            "(model.layers.0.mlp.down_proj: 8 bits, groups of 128, symmetric)");
  EXPECT_EQ(model.sentences()[2],
            "transformers: no, it does not read the rules for modules of another scheme (dynamic) "
            "(model.layers.0.mlp.down_proj: 8 bits, groups of 128, symmetric)");
  model.fill();
  model.facts.modules[7].scheme = model.scheme;
  EXPECT_EQ(model.sentences()[2],
            "transformers: no, it does not read a quantized output matrix: it runs, and its text "
            "is wrong");
  model.format = "compressed-tensors";
  EXPECT_EQ(model.sentences()[2],
            "transformers: loads (weights are unpacked to floats: no gain in speed or memory)");
}

TEST(Runtimes, FindTheSizesAtWhichNoGroupIsCut) {
  // The intermediate size 29568 = 231 * 128 of a known family.
  Case model{.hidden = 8192, .ffn = 29568, .n_heads = 64};
  model.fill();
  EXPECT_EQ(model.sentences()[1],
            "vLLM on a GPU: loads, tensor-parallel 1 (not 2: the 29568 columns of "
            "model.layers.0.mlp.down_proj do not split into groups of 128)");
  model.scheme.group_size = 64;
  model.fill();
  EXPECT_EQ(model.sentences()[1].substr(0, 50),
            "vLLM on a GPU: loads, tensor-parallel 1, 2 (not 4:");
  model.scheme.group_size = 0;
  model.fill();
  EXPECT_EQ(model.sentences()[1],
            "vLLM on a GPU: loads, tensor-parallel 1, 2, 4 (not 8: the 29568 rows of "
            "model.layers.0.mlp.gate_proj do not split into multiples of 32)");
}

TEST(Runtimes, SplitHeadsEvenlyAndRepeatFewKeyValueHeads) {
  Case model{.scheme = {4, 0, true}, .hidden = 576, .ffn = 1536, .n_heads = 9, .n_kv_heads = 3};
  model.fill();
  EXPECT_EQ(model.sentences()[0],
            "vLLM on a CPU: loads, tensor-parallel 1 (not 2: 9 heads of attention do not split "
            "evenly)");
  model = Case{.n_heads = 32, .n_kv_heads = 2};
  model.fill();
  EXPECT_EQ(model.sentences()[0], "vLLM on a CPU: loads, " + kSizes);
  model = Case{.hidden = 4096, .n_heads = 32, .n_kv_heads = 6};
  model.fill();
  EXPECT_EQ(model.sentences()[0],
            "vLLM on a CPU: loads, tensor-parallel 1, 2 (not 4: 6 key-value heads do not split "
            "evenly)");
}

TEST(Runtimes, OfVllmTakeNoOddShapes) {
  Case model{.format = "compressed-tensors"};
  model.fill();
  model.facts.modules[7] = {"lm_head", TensorRole::kOutput, -1, 32001, 4096, model.scheme, ""};
  EXPECT_EQ(model.sentences()[0],
            "vLLM on a CPU: no, its kernels take rows and columns in multiples of 32 only");
}

}  // namespace
}  // namespace lq::hf
