#include <cmath>
#include <gtest/gtest.h>

#include "common/model/gguf_model.h"
#include "common/model/rope_factors.h"
#include "tests/model/checkpoint_files.h"

namespace lq::testing {
namespace {

using model::GgufTensor;

std::vector<std::string> names(const std::vector<GgufTensor>& tensors) {
  std::vector<std::string> list;
  for (const GgufTensor& tensor : tensors) list.push_back(tensor.name);
  return list;
}

const GgufTensor& find(const std::vector<GgufTensor>& tensors, const std::string& name) {
  const auto at = std::ranges::find(tensors, name, &GgufTensor::name);
  if (at == tensors.end()) throw std::out_of_range(name);
  return *at;
}

struct Model {
  explicit Model(const json& config) : Model(config, small_shapes(config)) {}
  Model(const json& config, const Shapes& shapes, const std::string& dtype = "F32")
      : checkpoint(model::open_checkpoint(write_model(scratch, config, shapes, dtype))) {}
  ScratchDirectory scratch;
  model::Checkpoint checkpoint;
};

TEST(GgufTensors, StandInTheOrderOfThePeersQuantizer) {
  json config = small_config();
  config["num_hidden_layers"] = 11;
  const Model model(config);
  const std::vector<std::string> order = names(model::gguf_tensors(model.checkpoint));
  ASSERT_EQ(order.size(), 3 + 11 * 9U);
  const std::vector<std::string> head(order.begin(), order.begin() + 13);
  EXPECT_EQ(head,
            (std::vector<std::string>{
                "output.weight", "output_norm.weight", "token_embd.weight", "blk.0.attn_k.weight",
                "blk.0.attn_norm.weight", "blk.0.attn_output.weight", "blk.0.attn_q.weight",
                "blk.0.attn_v.weight", "blk.0.ffn_down.weight", "blk.0.ffn_gate.weight",
                "blk.0.ffn_norm.weight", "blk.0.ffn_up.weight", "blk.1.attn_k.weight"}));
  EXPECT_EQ(order.back(), "blk.10.ffn_up.weight");
}

TEST(GgufTensors, HaveTheRowLengthFirst) {
  const Model model(small_config());
  const auto tensors = model::gguf_tensors(model.checkpoint);
  const GgufTensor& down = find(tensors, "blk.1.ffn_down.weight");
  EXPECT_EQ(down.dims, (std::vector<std::uint64_t>{64, 32}));
  EXPECT_EQ(down.row_elems(), 64);
  EXPECT_EQ(down.n_rows(), 32);
  EXPECT_EQ(down.layer, 1);
  EXPECT_TRUE(down.is_matrix);
  EXPECT_FALSE(find(tensors, "blk.0.attn_norm.weight").is_matrix);
}

TEST(GgufTensors, InterleaveTheHalvesOfEachHead) {
  const Model model(small_config());
  const auto tensors = model::gguf_tensors(model.checkpoint);
  const GgufTensor& q = find(tensors, "blk.0.attn_q.weight");
  // Heads of 8 rows: 0 4 1 5 2 6 3 7, then the same from 8 on.
  EXPECT_EQ(q.source_row(0), 0);
  EXPECT_EQ(q.source_row(1), 4);
  EXPECT_EQ(q.source_row(2), 1);
  EXPECT_EQ(q.source_row(7), 7);
  EXPECT_EQ(q.source_row(9), 12);
  const GgufTensor& k = find(tensors, "blk.0.attn_k.weight");
  EXPECT_EQ(k.interleave_heads, 2);
  EXPECT_EQ(k.source_row(9), 12);
  const GgufTensor& v = find(tensors, "blk.0.attn_v.weight");
  EXPECT_EQ(v.source_row(9), 9);
}

TEST(GgufTensors, InterleaveBiasesAsTheirWeights) {
  const json config = small_config();
  Shapes shapes = small_shapes(config);
  shapes["model.layers.0.self_attn.k_proj.bias"] = {16};
  const Model model(config, shapes);
  const auto tensors = model::gguf_tensors(model.checkpoint);
  EXPECT_EQ(model::read_vector(model.checkpoint, find(tensors, "blk.0.attn_k.bias")),
            (std::vector<float>{0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15}));
}

TEST(GgufTensors, OfQwen2KeepTheOrderOfRowsAndTakeBiases) {
  const json config = small_config("Qwen2ForCausalLM");
  const Model model(config);
  const auto tensors = model::gguf_tensors(model.checkpoint);
  EXPECT_EQ(find(tensors, "blk.0.attn_q.weight").source_row(9), 9);
  EXPECT_EQ(model::read_vector(model.checkpoint, find(tensors, "blk.1.attn_k.bias")).at(9), 9);
  EXPECT_TRUE(model::gguf_warnings(model.checkpoint).empty());
}

TEST(GgufTensors, OfQwen3HaveNormsPerHead) {
  json config = small_config("Qwen3ForCausalLM");
  config["head_dim"] = 16;
  Shapes shapes = small_shapes(config);
  for (const char* layer : {"0", "1"}) {
    const std::string at = std::string("model.layers.") + layer + ".self_attn.";
    shapes[at + "q_norm.weight"] = {16};
    shapes[at + "k_norm.weight"] = {16};
  }
  const Model model(config, shapes);
  const auto tensors = model::gguf_tensors(model.checkpoint);
  EXPECT_EQ(find(tensors, "blk.1.attn_q_norm.weight").dims, (std::vector<std::uint64_t>{16}));
  EXPECT_EQ(find(tensors, "blk.1.attn_q.weight").dims, (std::vector<std::uint64_t>{32, 64}));
}

TEST(GgufTensors, OfMistralMayHaveAnotherHeadSize) {
  json config = small_config("MistralForCausalLM");
  config["head_dim"] = 12;
  const Model model(config);
  EXPECT_EQ(find(model::gguf_tensors(model.checkpoint), "blk.0.attn_q.weight").dims,
            (std::vector<std::uint64_t>{32, 48}));
}

TEST(GgufTensors, RefuseBiasesThatTheRuntimeHasNoPlaceFor) {
  const json config = small_config("Qwen2ForCausalLM");
  Shapes shapes = small_shapes(config);
  shapes["model.layers.1.self_attn.o_proj.bias"] = {32};
  const Model model(config, shapes);
  const auto error =
      error_of<base::UnsupportedError>([&] { model::gguf_tensors(model.checkpoint); });
  EXPECT_EQ(error.why(),
            "1 tensors are biases that the runtime of 'qwen2' has no place for, the first is "
            "model.layers.1.self_attn.o_proj.bias");
}

TEST(GgufTensors, LeaveOutAStoredCopyOfTiedEmbeddings) {
  json config = small_config();
  config["tie_word_embeddings"] = true;
  const Model model(config);
  const auto list = names(model::gguf_tensors(model.checkpoint));
  EXPECT_EQ(std::ranges::count(list, "output.weight"), 0);
  EXPECT_TRUE(model::gguf_warnings(model.checkpoint).empty());
}

TEST(GgufTensors, DoWithoutAnOutputMatrixAndSaySo) {
  const json config = small_config();
  Shapes shapes = small_shapes(config);
  shapes.erase("lm_head.weight");
  const Model model(config, shapes);
  const auto list = names(model::gguf_tensors(model.checkpoint));
  EXPECT_EQ(std::ranges::count(list, "output.weight"), 0);
  ASSERT_EQ(model::gguf_warnings(model.checkpoint).size(), 1);
  EXPECT_NE(model::gguf_warnings(model.checkpoint)[0].find("lm_head"), std::string::npos);
}

TEST(GgufTensors, ReportAllProblemsOfTheWeightsAtOnce) {
  const json config = small_config();
  Shapes shapes = small_shapes(config);
  shapes.erase("model.norm.weight");
  shapes.erase("model.layers.1.mlp.up_proj.weight");
  shapes["model.layers.0.self_attn.v_proj.weight"] = {32, 32};
  const Model model(config, shapes);
  const auto error =
      error_of<base::ValidationError>([&] { model::gguf_tensors(model.checkpoint); });
  EXPECT_EQ(
      error.why(),
      "2 tensors are missing: model.norm.weight, model.layers.1.mlp.up_proj.weight; "
      "model.layers.0.self_attn.v_proj.weight has shape [32, 32], the config implies [16, 32]");
}

TEST(GgufTensors, NameOnlyTheFirstOfVeryManyProblems) {
  json config = small_config();
  const Shapes shapes = small_shapes(config);
  config["num_hidden_layers"] = 65535;
  const Model model(config, shapes);
  const auto error =
      error_of<base::ValidationError>([&] { model::gguf_tensors(model.checkpoint); });
  EXPECT_LT(error.why().size(), 2000);
  EXPECT_NE(error.why().find("and 589777 more"), std::string::npos) << error.why();
}

TEST(GgufTensors, RefuseWeightsThatAreQuantizedAlready) {
  json config = small_config();
  config["quantization_config"] = {{"quant_method", "gptq"}};
  const Model named(config);
  EXPECT_EQ(error_of<base::UnsupportedError>([&] { model::gguf_tensors(named.checkpoint); }).why(),
            "its weights are quantized already (gptq in config.json)");
  const Model integers(small_config(), small_shapes(small_config()), "I8");
  EXPECT_EQ(
      error_of<base::UnsupportedError>([&] { model::gguf_tensors(integers.checkpoint); }).why(),
      "tensor model.embed_tokens.weight has type I8, which holds no plain weights");
  Shapes shapes = small_shapes(small_config());
  shapes["model.layers.0.mlp.up_proj.weight_scale_inv"] = {1, 1};
  const Model scaled(small_config(), shapes);
  EXPECT_EQ(error_of<base::UnsupportedError>([&] { model::gguf_tensors(scaled.checkpoint); }).why(),
            "tensor model.layers.0.mlp.up_proj.weight_scale_inv belongs to weights that are "
            "quantized already");
}

TEST(GgufTensors, DropRotaryBuffersSilentlyAndNameOtherLeftovers) {
  const json config = small_config();
  Shapes shapes = small_shapes(config);
  shapes["model.layers.0.self_attn.rotary_emb.inv_freq"] = {4};
  const Model quiet(config, shapes);
  EXPECT_TRUE(model::gguf_warnings(quiet.checkpoint).empty());
  shapes["extra\n"] = {4};
  const Model loud(config, shapes);
  EXPECT_EQ(model::gguf_warnings(loud.checkpoint),
            (std::vector<std::string>{"a tensor is not part of llama and left out: extra\\x0A"}));
}

TEST(GgufTensors, WarnOfAWindowThatTheRuntimeDoesNotHave) {
  json config = small_config("MistralForCausalLM");
  config["sliding_window"] = 64;
  const Model model(config);
  EXPECT_EQ(model::gguf_warnings(model.checkpoint),
            (std::vector<std::string>{"the model attends to the last 64 tokens only; the runtime "
                                      "attends to all of its context of 128"}));
}

TEST(GgufTensors, WarnOfAWindowInSomeLayers) {
  json config = small_config("Qwen2ForCausalLM");
  config["use_sliding_window"] = true;
  config["sliding_window"] = 64;
  config["max_window_layers"] = 1;
  const Model model(config);
  EXPECT_EQ(model::gguf_warnings(model.checkpoint),
            (std::vector<std::string>{"the model attends to the last 64 tokens only in 1 of 2 "
                                      "layers; the runtime attends to all of its context of 128"}));
}

TEST(GgufTensors, WarnOfYarnBetasThatTheRuntimeDoesNotTake) {
  json config = small_config();
  config["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4}, {"beta_fast", 32}};
  EXPECT_TRUE(model::gguf_warnings(Model(config).checkpoint).empty());
  config["rope_scaling"]["beta_fast"] = 16;
  const Model model(config);
  EXPECT_EQ(model::gguf_warnings(model.checkpoint),
            (std::vector<std::string>{"the runtime stretches YaRN with beta_fast 32 and beta_slow "
                                      "1, the model with 16 and 1"}));
}

TEST(GgufTensors, WarnOfAnUntruncatedYarn) {
  json config = small_config();
  config["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4}, {"truncate", true}};
  EXPECT_TRUE(model::gguf_warnings(Model(config).checkpoint).empty());
  config["rope_scaling"]["truncate"] = false;
  const Model model(config);
  EXPECT_EQ(
      model::gguf_warnings(model.checkpoint),
      (std::vector<std::string>{"the runtime begins and ends the blend of YaRN at whole pairs "
                                "of dimensions, the model between them"}));
}

TEST(RopeFactors, StretchLongWavelengthsOnly) {
  model::ModelConfig config;
  config.head_dim = 64;
  config.rope.scaling = model::RopeScalingKind::kLlama3;
  config.rope.base = 500000;
  config.rope.factor = 32;
  config.rope.original_context = 8192;
  const std::vector<float> factors = model::llama3_rope_factors(config);
  ASSERT_EQ(factors.size(), 32);
  EXPECT_EQ(factors.front(), 1);
  EXPECT_EQ(factors.back(), 32);
  for (std::size_t k = 0; k < factors.size(); ++k) {
    // The formula in float64.
    const double wavelength = 2 * M_PI * std::pow(500000.0, 2.0 * static_cast<double>(k) / 64);
    const double t = (8192 / wavelength - 1) / 3;
    const double expected = wavelength < 2048 ? 1 : wavelength > 8192 ? 32 : 1 / ((1 - t) / 32 + t);
    EXPECT_NEAR(factors[k], expected, 2e-6 * expected * 32) << k;
  }
}

TEST(GgufTensors, CarryRopeFactorsOfLlama3) {
  json config = small_config();
  config["rope_scaling"] = {{"rope_type", "llama3"}, {"factor", 8.0}};
  const Model model(config);
  const auto tensors = model::gguf_tensors(model.checkpoint);
  EXPECT_EQ(tensors[2].name, "rope_freqs.weight");
  EXPECT_EQ(tensors[2].dims, (std::vector<std::uint64_t>{4}));
  EXPECT_EQ(tensors[2].source, nullptr);
  EXPECT_EQ(model::read_vector(model.checkpoint, tensors[2]).size(), 4);
}

}  // namespace
}  // namespace lq::testing
