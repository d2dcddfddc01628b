#include "common/subject/gguf_config.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

#include "common/model/rope_factors.h"
#include "tests/subject/gguf_files.h"

namespace lq::testing {
namespace {

using base::UnsupportedError;
using base::ValidationError;
using gguf::Value;
using model::RopeScalingKind;
using nlohmann::json;

model::ModelConfig read(const std::filesystem::path& path) {
  const gguf::Reader reader(path);
  return subject::gguf_config(reader, subject::gguf_architecture(reader));
}

model::ModelConfig config_of(const std::string& architecture, const json& keys = {}) {
  return read(RandomGguf(architecture, keys).write());
}

class GgufConfig : public ::testing::Test {
 protected:
  template <class E>
  std::string why() const {
    const auto path = model_.write();
    return error_of<E>([&] { read(path); }).why();
  }
  template <class E>
  std::string why_with(const std::string& key, Value value) {
    model_.file.metadata.set(key, std::move(value));
    return why<E>();
  }
  model::ModelConfig with(const std::string& key, Value value) {
    model_.file.metadata.set(key, std::move(value));
    return read(model_.write());
  }

  RandomGguf model_{"LlamaForCausalLM"};
};

TEST_F(GgufConfig, IsThatOfTheSource) {
  const model::ModelConfig& source = model_.checkpoint.config;
  const model::ModelConfig config = read(model_.write());
  EXPECT_EQ(config.n_layers, 3);
  EXPECT_EQ(config.hidden, 64);
  EXPECT_EQ(config.ffn, 112);
  EXPECT_EQ(config.n_heads, 4);
  EXPECT_EQ(config.n_kv_heads, 2);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_FALSE(config.head_dim_given);
  EXPECT_EQ(config.context, 512);
  EXPECT_EQ(config.vocab, 2048);
  EXPECT_EQ(config.norm_eps, double{1e-5F});
  EXPECT_FALSE(config.tied_embeddings);
  EXPECT_EQ(config.rope.base, source.rope.base);
  EXPECT_EQ(config.rope.scaling, RopeScalingKind::kNone);
  EXPECT_TRUE(config.rope.divisors.empty());
  EXPECT_EQ(config.windows.size, 0);
  EXPECT_EQ(config.architecture, "LlamaForCausalLM");
  EXPECT_EQ(config.path.filename(), "model.gguf");
}

TEST_F(GgufConfig, HasTheStatedHeadSize) {
  const model::ModelConfig config = config_of("Qwen3ForCausalLM", {{"head_dim", 32}});
  EXPECT_EQ(config.head_dim, 32);
  EXPECT_TRUE(config.head_dim_given);
  EXPECT_EQ(config.architecture, "Qwen3ForCausalLM");
}

TEST_F(GgufConfig, IsTiedWithoutAnOutputMatrix) {
  EXPECT_TRUE(config_of("Qwen2ForCausalLM", {{"tie_word_embeddings", true}}).tied_embeddings);
}

TEST_F(GgufConfig, TakesAsManyKeyHeadsAsHeadsWhereNoneAreStated) {
  model_.file.remove_key("llama.attention.head_count_kv");
  EXPECT_EQ(read(model_.write()).n_kv_heads, 4);
}

TEST_F(GgufConfig, TakesAnyTypeOfWholeNumber) {
  EXPECT_EQ(with("llama.context_length", std::uint64_t{700}).context, 700);
  EXPECT_EQ(with("llama.context_length", std::int16_t{70}).context, 70);
}

TEST_F(GgufConfig, HasLinearScaling) {
  model::ModelConfig config =
      config_of("LlamaForCausalLM", {{"rope_scaling", {{"type", "linear"}, {"factor", 4.0}}}});
  EXPECT_EQ(config.rope.scaling, RopeScalingKind::kLinear);
  EXPECT_EQ(config.rope.factor, 4);
  config = with("llama.rope.scale_linear", 2.0F);
  EXPECT_EQ(config.rope.scaling, RopeScalingKind::kLinear);
  EXPECT_EQ(config.rope.factor, 2);
  config = with("llama.rope.scaling.type", std::string("none"));
  EXPECT_EQ(config.rope.scaling, RopeScalingKind::kNone);
}

TEST_F(GgufConfig, HasYarn) {
  const model::ModelConfig config =
      config_of("LlamaForCausalLM", {{"head_dim", 32},
                                     {"rope_scaling",
                                      {{"type", "yarn"},
                                       {"factor", 4.0},
                                       {"original_max_position_embeddings", 128},
                                       {"attention_factor", 0.75},
                                       {"beta_fast", 16},
                                       {"beta_slow", 2}}}});
  EXPECT_EQ(config.rope.scaling, RopeScalingKind::kYarn);
  EXPECT_EQ(config.rope.factor, 4);
  EXPECT_EQ(config.rope.original_context, 128);
  EXPECT_NEAR(config.rope.attention_factor.value(), 0.75, 1e-7);
  EXPECT_EQ(config.rope.beta_fast, 16);
  EXPECT_EQ(config.rope.beta_slow, 2);
}

TEST_F(GgufConfig, HasTheAttentionFactorOfTheRuntimeWhereNoneIsStated) {
  const json yarn = {{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 128}};
  const model::ModelConfig config = config_of("Qwen2ForCausalLM", {{"rope_scaling", yarn}});
  EXPECT_DOUBLE_EQ(config.rope.attention_factor.value(), 1 + 0.1 * std::log(4));
}

TEST_F(GgufConfig, HasTheDivisorsOfLlama3) {
  const RandomGguf model("LlamaForCausalLM", {{"rope_scaling",
                                               {{"rope_type", "llama3"},
                                                {"factor", 8.0},
                                                {"low_freq_factor", 1.0},
                                                {"high_freq_factor", 4.0},
                                                {"original_max_position_embeddings", 128}}}});
  const model::ModelConfig config = read(model.write());
  EXPECT_EQ(config.rope.scaling, RopeScalingKind::kNone);
  EXPECT_EQ(config.rope.divisors, model::llama3_rope_factors(model.checkpoint.config));
  EXPECT_EQ(config.rope.divisors.size(), 8U);
}

TEST_F(GgufConfig, HasStatedWindows) {
  EXPECT_EQ(with("llama.attention.sliding_window", std::uint32_t{64}).windows.of(2), 64);
  const std::string pattern = "llama.attention.sliding_window_pattern";
  model::LayerWindows windows = with(pattern, std::vector<bool>{true, false, true}).windows;
  EXPECT_EQ(windows.of(0), 64);
  EXPECT_EQ(windows.of(1), 0);
  windows = with(pattern, std::vector<bool>{false, false, false}).windows;
  EXPECT_EQ(windows.n_layers(3), 0);
  EXPECT_EQ(why_with<ValidationError>(pattern, std::vector<bool>{true}),
            pattern + " has 1 values for 3 layers");
  EXPECT_EQ(why_with<ValidationError>(pattern, std::uint32_t{2}),
            pattern + " is 2, expected a list of truth values");
}

TEST_F(GgufConfig, RefusesAnUnknownArchitecture) {
  EXPECT_EQ(why_with<UnsupportedError>("general.architecture", std::string("mamba\n")),
            "its architecture is 'mamba\\x0A'; known are llama, qwen2, qwen3");
}

TEST_F(GgufConfig, RefusesWhatTheForwardPassDoesNotHave) {
  const auto refused = [](const std::string& key, Value value) {
    RandomGguf model("LlamaForCausalLM");
    model.file.metadata.set(key, std::move(value));
    const auto path = model.write();
    return error_of<UnsupportedError>([&] { read(path); }).why();
  };
  EXPECT_EQ(refused("llama.expert_count", std::uint32_t{8}),
            "it has experts; only dense models are run");
  EXPECT_EQ(refused("llama.attention.value_length", std::uint32_t{8}),
            "its heads have 16 dimensions of keys and 8 of values");
  EXPECT_EQ(refused("llama.rope.dimension_count", std::uint32_t{8}),
            "it rotates 8 of the 16 dimensions of each head; here all are");
  EXPECT_EQ(refused("llama.rope.scaling.type", std::string("longrope")),
            "its rope scaling is longrope, which 'llama' is not run with");
  EXPECT_EQ(refused("llama.rope.scaling.attn_factor", 1.5F),
            "it has llama.rope.scaling.attn_factor without YaRN");
}

TEST_F(GgufConfig, NamesAMissingKey) {
  for (const std::string name :
       {"block_count", "context_length", "embedding_length", "feed_forward_length",
        "attention.head_count", "attention.layer_norm_rms_epsilon"}) {
    RandomGguf model("LlamaForCausalLM");
    model.file.remove_key("llama." + name);
    const auto path = model.write();
    const auto error = error_of<ValidationError>([&] { read(path); });
    EXPECT_EQ(error.why(), "its metadata lack llama." + name);
    EXPECT_EQ(std::string(error.what()), "cannot use the model " + path.string());
    EXPECT_EQ(error.fix(), "get the file from its source again, or convert the model again");
  }
  model_.file.remove_key("general.architecture");
  EXPECT_EQ(why<ValidationError>(), "its metadata lack general.architecture");
}

TEST_F(GgufConfig, NamesAKeyWithAnImpossibleValue) {
  const auto rejected = [](const std::string& name, Value value) {
    RandomGguf model("LlamaForCausalLM");
    model.file.metadata.set("llama." + name, std::move(value));
    const auto path = model.write();
    return error_of<ValidationError>([&] { read(path); }).why();
  };
  EXPECT_EQ(rejected("block_count", std::uint32_t{0}),
            "llama.block_count is 0, expected a whole number from 1 to 65535");
  EXPECT_EQ(rejected("block_count", std::uint32_t{4000000000}),
            "llama.block_count is 4000000000, expected a whole number from 1 to 65535");
  EXPECT_EQ(rejected("embedding_length", std::string("64\x1b")),
            "llama.embedding_length is '64\\x1B', expected a whole number from 1 to 2147483647");
  EXPECT_EQ(rejected("attention.head_count", std::vector<std::uint32_t>{4, 4, 4}),
            "llama.attention.head_count is a list of 3 values, expected a whole number from 1 to "
            "2147483647");
  EXPECT_EQ(rejected("feed_forward_length", -1.5F),
            "llama.feed_forward_length is -1.5, expected a whole number from 1 to 2147483647");
  EXPECT_EQ(rejected("attention.head_count", std::uint32_t{5}),
            "its width 64 is not a multiple of its 5 heads, and llama.attention.key_length is "
            "missing");
  EXPECT_EQ(rejected("attention.head_count_kv", std::uint32_t{3}),
            "its 4 heads are not a multiple of its 3 key-value heads");
  EXPECT_EQ(rejected("attention.key_length", std::uint32_t{15}),
            "its heads have 15 dimensions, an odd number");
  EXPECT_EQ(rejected("attention.layer_norm_rms_epsilon", 0.0F),
            "llama.attention.layer_norm_rms_epsilon is 0, expected a number above 0");
  EXPECT_EQ(rejected("attention.layer_norm_rms_epsilon", true),
            "llama.attention.layer_norm_rms_epsilon is true, expected a number");
  EXPECT_EQ(rejected("rope.freq_base", std::nanf("")),
            "llama.rope.freq_base is nan, expected a number");
  EXPECT_EQ(rejected("rope.scaling.type", std::uint32_t{1}),
            "llama.rope.scaling.type is 1, expected a text");
  EXPECT_EQ(rejected("rope.scaling.type", std::string("yarn")),
            "its metadata lack llama.rope.scaling.factor");
  EXPECT_EQ(rejected("rope.scaling.factor", -2.0F), "the factor of its rope scaling is -2");
  EXPECT_EQ(rejected("vocab_size", std::uint32_t{7}),
            "llama.vocab_size is 7, but its embeddings have 2048 rows");
}

TEST_F(GgufConfig, NeedsEmbeddings) {
  model_.file.remove_tensor("token_embd.weight");
  EXPECT_EQ(why<ValidationError>(), "it has no matrix token_embd.weight");
}

TEST_F(GgufConfig, RejectsDivisorsThatCannotBe) {
  const std::string name = "rope_freqs.weight";
  model_.file.add(name, std::vector<float>(9, 1), {9});
  EXPECT_EQ(why<ValidationError>(), name + " has 9 values for heads of 16 dimensions");
  model_.file.replace(name, {8}, codec::QuantType::kF32);
  EXPECT_EQ(why<ValidationError>(), name + " has a value that is not above 0");
  model_.file.replace(name, {8}, codec::QuantType::kI32);
  EXPECT_EQ(why<UnsupportedError>(),
            "tensor `" + name + "` is of type I32, which holds no weights");
}

}  // namespace
}  // namespace lq::testing
