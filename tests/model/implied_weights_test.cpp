#include "common/model/implied_weights.h"

#include <gtest/gtest.h>

#include "common/base/errors.h"
#include "common/model/arch/families.h"
#include "tests/model/checkpoint_files.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

class ImpliedWeights : public ::testing::Test {
 protected:
  std::vector<std::string> names(const json& config, const model::Architecture& architecture) {
    scratch_.write("config.json", config.dump());
    weights_ =
        model::implied_weights(scratch_.path(), model::read_config(scratch_.path()), architecture);
    std::vector<std::string> found;
    for (const tensor::TensorInfo& info : weights_->tensors()) found.push_back(info.name);
    return found;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<tensor::TensorSource> weights_;
};

TEST_F(ImpliedWeights, AreTheWeightsOfTheTableLayerByLayer) {
  const json config = small_config();
  const std::vector<std::string> found = names(config, model::arch::kLlama);
  Shapes wanted = small_shapes(config);
  ASSERT_EQ(found.size(), wanted.size());
  for (const tensor::TensorInfo& info : weights_->tensors()) {
    ASSERT_TRUE(wanted.contains(info.name)) << info.name;
    EXPECT_EQ(info.shape, wanted[info.name]) << info.name;
    EXPECT_EQ(info.dtype, tensor::DType::kF32);
    EXPECT_EQ(info.n_bytes, info.n_elems * 4);
  }
  EXPECT_EQ(found[3], "model.layers.0.input_layernorm.weight");
  EXPECT_EQ(found.back(), "model.layers.1.mlp.down_proj.weight");
}

TEST_F(ImpliedWeights, HaveNoOutputMatrixOfTheirOwnWhereEmbeddingsAreTied) {
  json config = small_config();
  config["tie_word_embeddings"] = true;
  for (const std::string& name : names(config, model::arch::kLlama))
    EXPECT_NE(name, "lm_head.weight");
}

TEST_F(ImpliedWeights, HaveTheBiasesThatTheFamilyAlwaysHas) {
  const json config = small_config("Qwen2ForCausalLM");
  EXPECT_EQ(names(config, model::arch::kQwen2).size(), small_shapes(config).size());
}

TEST_F(ImpliedWeights, HaveAnOptionalBiasWhenTheIndexNamesIt) {
  const std::string bias = "model.layers.1.self_attn.o_proj.bias";
  scratch_.write("model.safetensors.index.json",
                 json{{"weight_map", {{bias, "model-00001-of-00001.safetensors"}}}}.dump());
  const std::vector<std::string> found = names(small_config(), model::arch::kLlama);
  EXPECT_EQ(std::ranges::count(found, bias), 1);
  EXPECT_EQ(found.size(), small_shapes(small_config()).size() + 1);
}

TEST_F(ImpliedWeights, AreRefusedWhereTheirSizesCannotBe) {
  json config = small_config();
  config["num_attention_heads"] = config["num_key_value_heads"] = 2147483647;
  config["head_dim"] = 2147483646;
  config["hidden_size"] = 2147483647;
  const auto error = error_of<base::ValidationError>([&] { names(config, model::arch::kLlama); });
  EXPECT_EQ(error.what(), "cannot use " + (scratch_.path() / "config.json").string());
  EXPECT_EQ(error.why(),
            "the weights that it implies pass 1.00 EiB with model.layers.0.self_attn.q_proj.weight "
            "of shape [4611686011984936962, 2147483647]");
}

TEST_F(ImpliedWeights, AreRefusedWhereTheSumOfTheirSizesCannotBe) {
  json config = small_config();
  config["hidden_size"] = config["intermediate_size"] = 268435456;
  config["num_hidden_layers"] = 65535;
  EXPECT_EQ(error_of<base::ValidationError>([&] { names(config, model::arch::kLlama); }).why(),
            "the weights that it implies pass 1.00 EiB with model.layers.0.mlp.gate_proj.weight of "
            "shape [268435456, 268435456]");
}

TEST_F(ImpliedWeights, AreNotImpliedByAnIndexThatCannotBeRead) {
  const auto loop = scratch_.path() / "model.safetensors.index.json";
  std::filesystem::create_symlink(loop, loop);
  const auto error =
      error_of<base::ModelNotFoundError>([&] { names(small_config(), model::arch::kLlama); });
  EXPECT_EQ(error.what(), "cannot open " + loop.string());
  EXPECT_EQ(error.why(), "Too many levels of symbolic links");
}

TEST_F(ImpliedWeights, CannotBeRead) {
  names(small_config(), model::arch::kLlama);
  std::vector<std::byte> bytes(4);
  const auto error =
      error_of<base::ModelNotFoundError>([&] { weights_->read(weights_->tensors()[0], 0, bytes); });
  EXPECT_EQ(error.what(), std::string("cannot read model.embed_tokens.weight"));
  EXPECT_EQ(error.fix(), "fetch the safetensors files too");
}

}  // namespace
}  // namespace lq::testing
