#include <gtest/gtest.h>

#include "common/model/architecture.h"
#include "tests/model/checkpoint_files.h"

namespace lq::testing {
namespace {

model::ModelConfig read(const json& config) {
  const ScratchDirectory scratch;
  scratch.write("config.json", config.dump());
  return model::read_config(scratch.path());
}

std::string refusal(const json& config) {
  const model::ModelConfig read_back = read(config);
  return error_of<base::UnsupportedError>([&] { model::find_architecture(read_back); }).why();
}

TEST(Architectures, AreFoundByEveryNameOfTheirs) {
  for (const model::Architecture* row : model::architectures()) {
    for (const model::HfClass& known : row->hf_classes) {
      EXPECT_EQ(&model::find_architecture(read(small_config(std::string(known.name)))), row);
    }
  }
}

TEST(Architectures, AreFoundByModelTypeWhereNoNameIsGiven) {
  json config = small_config();
  config.erase("architectures");
  config["model_type"] = "mistral";
  EXPECT_EQ(model::find_architecture(read(config)).name, "llama");
  config["architectures"] = json::array();
  config["model_type"] = "qwen3";
  EXPECT_EQ(model::find_architecture(read(config)).name, "qwen3");
}

TEST(Architectures, ListWhatIsSupportedWhenOneIsUnknown) {
  const model::ModelConfig config = read(small_config("BertModel\x1b"));
  const auto error = error_of<base::UnsupportedError>([&] { model::find_architecture(config); });
  EXPECT_STREQ(error.what(), "cannot convert a model of architecture BertModel\\x1B");
  EXPECT_EQ(error.why(), "this architecture is not known");
  EXPECT_EQ(
      error.fix(),
      "use a dense text model of one of: LlamaForCausalLM, LLaMAForCausalLM, MistralForCausalLM, "
      "Qwen2ForCausalLM, Qwen3ForCausalLM");
}

TEST(Architectures, RefuseWhatTheRuntimeWouldComputeDifferently) {
  json config = small_config();
  config["num_local_experts"] = 8;
  EXPECT_EQ(refusal(config), "it has 8 experts per layer; only dense models are supported");
  config = small_config();
  config["hidden_act"] = "gelu";
  EXPECT_EQ(refusal(config), "its activation is gelu; the runtime of 'llama' computes silu");
  config = small_config();
  config["partial_rotary_factor"] = 0.5;
  EXPECT_EQ(refusal(config),
            "it rotates only a part (0.5) of each head; the runtime of 'llama' rotates all");
  config = small_config();
  config["rope_scaling"] = {{"type", "longrope"}};
  EXPECT_EQ(refusal(config),
            "its rope scaling is longrope, which the runtime of 'llama' does not have");
  config = small_config("Qwen2ForCausalLM");
  config["rope_scaling"] = {{"rope_type", "llama3"}};
  EXPECT_EQ(refusal(config),
            "its rope scaling is llama3, which the runtime of 'qwen2' does not have");
  config = small_config("Qwen3ForCausalLM");
  config["layer_types"] = {"full_attention", "linear_attention"};
  EXPECT_EQ(refusal(config),
            "it has layers of kind linear_attention; the runtime of 'qwen3' has attention in all");
  config = small_config("LlavaForConditionalGeneration");
  config["vision_config"] = json::object();
  EXPECT_EQ(refusal(config), "it has parts for images or sound; only text models are supported");
}

TEST(Architectures, NameEachTensorOnce) {
  for (const model::Architecture* row : model::architectures()) {
    std::map<std::string_view, int> hf, gguf;
    for (const model::TensorRow& tensor : row->tensors) {
      EXPECT_EQ(++hf[tensor.hf], 1) << tensor.hf;
      EXPECT_EQ(++gguf[tensor.gguf], 1) << tensor.gguf;
    }
  }
}

TEST(Architectures, GiveEachTensorTheRoleThatItsNameTells) {
  using enum model::TensorRole;
  const std::map<std::string_view, model::TensorRole> roles = {
      {"token_embd", kTokenEmbedding},
      {"output_norm", kOutputNorm},
      {"output", kOutput},
      {"blk.{L}.attn_norm", kAttnNorm},
      {"blk.{L}.attn_q", kAttnQ},
      {"blk.{L}.attn_k", kAttnK},
      {"blk.{L}.attn_v", kAttnV},
      {"blk.{L}.attn_output", kAttnOutput},
      {"blk.{L}.attn_q_norm", kAttnQNorm},
      {"blk.{L}.attn_k_norm", kAttnKNorm},
      {"blk.{L}.ffn_norm", kFfnNorm},
      {"blk.{L}.ffn_gate", kFfnGate},
      {"blk.{L}.ffn_up", kFfnUp},
      {"blk.{L}.ffn_down", kFfnDown},
  };
  for (const model::Architecture* row : model::architectures()) {
    for (const model::TensorRow& tensor : row->tensors) {
      const auto role = roles.find(tensor.gguf);
      ASSERT_NE(role, roles.end()) << tensor.gguf;
      EXPECT_EQ(tensor.role, role->second) << tensor.gguf;
    }
  }
}

}  // namespace
}  // namespace lq::testing
