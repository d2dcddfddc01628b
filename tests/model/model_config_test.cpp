#include "common/model/model_config.h"

#include <gtest/gtest.h>

#include "tests/model/checkpoint_files.h"

namespace lq::testing {
namespace {

using model::ModelConfig;
using model::RopeScalingKind;

ModelConfig read(const json& config) {
  const ScratchDirectory scratch;
  scratch.write("config.json", config.dump());
  return model::read_config(scratch.path());
}

template <class E>
E read_error(const json& config) {
  return error_of<E>([&] { read(config); });
}

TEST(ModelConfig, ReadsTheNumbersOfAModel) {
  const ModelConfig config = read(small_config());
  EXPECT_EQ(config.architecture, "LlamaForCausalLM");
  EXPECT_EQ(config.n_layers, 2);
  EXPECT_EQ(config.hidden, 32);
  EXPECT_EQ(config.ffn, 64);
  EXPECT_EQ(config.n_heads, 4);
  EXPECT_EQ(config.n_kv_heads, 2);
  EXPECT_EQ(config.head_dim, 8);
  EXPECT_FALSE(config.head_dim_given);
  EXPECT_EQ(config.context, 128);
  EXPECT_EQ(config.vocab, 10);
  EXPECT_DOUBLE_EQ(config.norm_eps, 1e-5);
  EXPECT_EQ(config.torch_dtype, "float32");
  EXPECT_NO_THROW(model::require_complete(config));
}

TEST(ModelConfig, TakesAbsentKeyValueHeadsForOnePerQueryHead) {
  json config = small_config();
  config.erase("num_key_value_heads");
  EXPECT_EQ(read(config).n_kv_heads, 4);
}

TEST(ModelConfig, TakesNullForAbsent) {
  json config = small_config();
  config["head_dim"] = nullptr;
  config["rope_scaling"] = nullptr;
  EXPECT_EQ(read(config).head_dim, 8);
  EXPECT_EQ(read(config).rope.scaling, RopeScalingKind::kNone);
}

TEST(ModelConfig, PrefersAStatedHeadSize) {
  json config = small_config();
  config["head_dim"] = 16;
  EXPECT_EQ(read(config).head_dim, 16);
  EXPECT_TRUE(read(config).head_dim_given);
}

TEST(ModelConfig, KnowsOtherSpellings) {
  json config = small_config();
  for (const auto& [usual, other] :
       std::map<std::string, std::string>{{"num_hidden_layers", "n_layer"},
                                          {"hidden_size", "n_embd"},
                                          {"num_attention_heads", "n_head"},
                                          {"max_position_embeddings", "n_positions"},
                                          {"torch_dtype", "dtype"}}) {
    config[other] = config[usual];
    config.erase(usual);
  }
  EXPECT_EQ(read(config).n_layers, 2);
  EXPECT_EQ(read(config).hidden, 32);
  EXPECT_EQ(read(config).context, 128);
  EXPECT_EQ(read(config).torch_dtype, "float32");
}

TEST(ModelConfig, ReadsOldRopeScaling) {
  json config = small_config();
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 4}};
  EXPECT_EQ(read(config).rope.scaling, RopeScalingKind::kLinear);
  EXPECT_DOUBLE_EQ(read(config).rope.factor, 4);
  EXPECT_DOUBLE_EQ(read(config).rope.base, 10000);
}

TEST(ModelConfig, ReadsNewRopeParameters) {
  json config = small_config();
  config.erase("rope_theta");
  config["rope_parameters"] = {
      {"rope_type", "llama3"},   {"rope_theta", 500000.0},
      {"factor", 32.0},          {"low_freq_factor", 1.0},
      {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 8192}};
  const ModelConfig read_back = read(config);
  EXPECT_EQ(read_back.rope.scaling, RopeScalingKind::kLlama3);
  EXPECT_DOUBLE_EQ(read_back.rope.base, 500000);
  EXPECT_DOUBLE_EQ(read_back.rope.factor, 32);
  EXPECT_EQ(read_back.rope.original_context, 8192);
}

TEST(ModelConfig, ReadsYarn) {
  json config = small_config();
  config["rope_scaling"] = {{"rope_type", "yarn"},
                            {"factor", 4.0},
                            {"beta_fast", 32},
                            {"original_max_position_embeddings", 32768}};
  EXPECT_EQ(read(config).rope.scaling, RopeScalingKind::kYarn);
  EXPECT_EQ(read(config).rope.beta_fast, 32);
  EXPECT_FALSE(read(config).rope.beta_slow.has_value());
}

TEST(ModelConfig, TakesRopeScalingBeforeRopeParametersUnlessItIsEmpty) {
  json config = small_config();
  config["rope_parameters"] = {{"rope_type", "linear"}, {"factor", 2}};
  config["rope_scaling"] = {{"rope_type", "linear"}, {"type", "dynamic"}, {"factor", 4}};
  EXPECT_DOUBLE_EQ(read(config).rope.factor, 4);
  EXPECT_EQ(read(config).rope.scaling, RopeScalingKind::kLinear);
  for (const json& nothing : {json(nullptr), json::object()}) {
    config["rope_scaling"] = nothing;
    EXPECT_DOUBLE_EQ(read(config).rope.factor, 2);
  }
  config.erase("rope_parameters");
  config["rope_scaling"] = {{"type", "dynamic"}, {"factor", 4}};
  EXPECT_EQ(read(config).rope.scaling, RopeScalingKind::kDynamic);
}

TEST(ModelConfig, PrefersTheOriginalContextOfTheWholeConfiguration) {
  json config = small_config();
  config["rope_scaling"] = {
      {"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32}};
  EXPECT_EQ(read(config).rope.original_context, 32);
  config["original_max_position_embeddings"] = 64;
  EXPECT_EQ(read(config).rope.original_context, 64);
}

TEST(ModelConfig, WeighsYarnsTwoScalesWhereNoAttentionFactorIsStated) {
  json config = small_config();
  json& scaling = config["rope_scaling"];
  scaling = {{"rope_type", "yarn"}, {"factor", 40.0}, {"mscale", 1.0}};
  EXPECT_FALSE(read(config).rope.attention_factor.has_value());
  scaling["mscale_all_dim"] = 0;
  EXPECT_FALSE(read(config).rope.attention_factor.has_value());
  scaling["mscale_all_dim"] = 0.5;
  EXPECT_NEAR(read(config).rope.attention_factor.value(), 1.3688879454 / 1.1844439727, 1e-9);
  scaling["attention_factor"] = 1.5;
  EXPECT_EQ(read(config).rope.attention_factor, 1.5);
  scaling.erase("attention_factor");
  scaling["factor"] = 1.0;
  EXPECT_FALSE(read(config).rope.attention_factor.has_value());
}

TEST(ModelConfig, TakesBetasOfZeroForAbsent) {
  json config = small_config();
  config["rope_scaling"] = {
      {"rope_type", "yarn"}, {"factor", 4.0}, {"beta_fast", 0}, {"beta_slow", 2}};
  EXPECT_FALSE(read(config).rope.beta_fast.has_value());
  EXPECT_EQ(read(config).rope.beta_slow, 2);
  EXPECT_TRUE(read(config).rope.whole_pairs);
  config["rope_scaling"]["truncate"] = false;
  EXPECT_FALSE(read(config).rope.whole_pairs);
}

TEST(ModelConfig, NeedsTheFactorOfAScaling) {
  for (const std::string name : {"linear", "dynamic", "yarn"}) {
    json config = small_config();
    config["rope_scaling"] = {{"type", name}};
    const ModelConfig incomplete = read(config);
    const auto error =
        error_of<base::ValidationError>([&] { model::require_complete(incomplete); });
    EXPECT_EQ(error.why(), "the factor of the rope scaling is missing");
  }
}

TEST(ModelConfig, ReadsAPartialRotationInEitherPlace) {
  json config = small_config();
  EXPECT_DOUBLE_EQ(read(config).rope.rotary_fraction, 1);
  config["partial_rotary_factor"] = 0.5;
  EXPECT_DOUBLE_EQ(read(config).rope.rotary_fraction, 0.5);
  config["rope_parameters"] = {{"rope_type", "default"}, {"partial_rotary_factor", 0.25}};
  EXPECT_DOUBLE_EQ(read(config).rope.rotary_fraction, 0.25);
}

TEST(ModelConfig, NamesARopeScalingAsTheFileDoes) {
  for (const std::string name : {"linear", "dynamic", "llama3", "yarn", "longrope"}) {
    json config = small_config();
    config["rope_scaling"] = {{"type", name}};
    EXPECT_EQ(model::rope_scaling_name(read(config).rope.scaling), name);
  }
  EXPECT_EQ(model::rope_scaling_name(RopeScalingKind::kNone), "none");
}

TEST(ModelConfig, RefusesAnUnknownRopeScaling) {
  json config = small_config();
  config["rope_scaling"] = {{"type", "spiral"}};
  const auto error = read_error<base::UnsupportedError>(config);
  EXPECT_EQ(error.why(),
            "its type is 'spiral'; known are default, linear, dynamic, llama3, yarn, longrope, su");
}

TEST(ModelConfig, RefusesRopeParametersThatDifferBetweenLayers) {
  json config = small_config();
  config["rope_parameters"] = {{"full_attention", {{"rope_theta", 1.0}}}};
  EXPECT_EQ(read_error<base::UnsupportedError>(config).why(),
            "rope_parameters differs between kinds of layers ('full_attention')");
}

TEST(ModelConfig, NamesTheKeyOfABrokenValue) {
  for (const json& broken :
       {json("many"), json(-1), json(0), json(2.5), json(1e30), json::array()}) {
    json config = small_config();
    config["num_hidden_layers"] = broken;
    const auto error = read_error<base::ValidationError>(config);
    EXPECT_EQ(error.why(), "num_hidden_layers is " + broken.dump() +
                               ", expected a whole number from 1 to 65535");
    EXPECT_NE(std::string(error.what()).find("config.json"), std::string::npos);
    EXPECT_FALSE(error.fix().empty());
  }
}

TEST(ModelConfig, NamesTheKeyOfAValueOfTheWrongKind) {
  json config = small_config();
  config["tie_word_embeddings"] = "yes";
  EXPECT_EQ(read_error<base::ValidationError>(config).why(),
            "tie_word_embeddings is \"yes\", expected true or false");
  config = small_config();
  config["rope_scaling"] = {{"rope_type", "llama3"}, {"factor", "8"}};
  EXPECT_EQ(read_error<base::ValidationError>(config).why(),
            "rope_scaling.factor is \"8\", expected a number");
  config["rope_scaling"]["factor"] = -8;
  EXPECT_EQ(read_error<base::ValidationError>(config).why(),
            "rope_scaling.factor is -8, expected a number above 0");
}

TEST(ModelConfig, ListsEverythingThatIsMissingAtOnce) {
  json config = small_config();
  config.erase("hidden_size");
  config.erase("rms_norm_eps");
  const ModelConfig incomplete = read(config);
  const auto error = error_of<base::ValidationError>([&] { model::require_complete(incomplete); });
  EXPECT_EQ(error.why(), "hidden_size is missing; rms_norm_eps is missing");
}

TEST(ModelConfig, RefusesHeadsThatDoNotDivide) {
  json config = small_config();
  config["num_attention_heads"] = 5;
  const ModelConfig odd = read(config);
  const auto error = error_of<base::ValidationError>([&] { model::require_complete(odd); });
  EXPECT_EQ(error.why(),
            "hidden_size 32 is not a multiple of num_attention_heads 5, and head_dim is missing; "
            "num_attention_heads 5 is not a multiple of num_key_value_heads 2");
}

TEST(ModelConfig, TellsAMissingDirectoryFromAMissingFile) {
  const ScratchDirectory scratch;
  const auto no_file =
      error_of<base::ModelNotFoundError>([&] { model::read_config(scratch.path()); });
  EXPECT_EQ(no_file.why(), "config.json is not in this directory");
  std::filesystem::create_symlink("config.json", scratch.path() / "config.json");
  const auto unseen =
      error_of<base::ModelNotFoundError>([&] { model::read_config(scratch.path()); });
  EXPECT_EQ(unseen.why(), "config.json: Too many levels of symbolic links");
  std::filesystem::remove(scratch.path() / "config.json");
  const auto no_dir =
      error_of<base::ModelNotFoundError>([&] { model::read_config(scratch.path() / "none"); });
  EXPECT_EQ(no_dir.why(), "there is no such directory");
}

TEST(ModelConfig, RefusesAConfigThatNamesNoModel) {
  EXPECT_EQ(read_error<base::ValidationError>(json::object()).why(),
            "it names neither architectures nor model_type");
  EXPECT_EQ(read_error<base::ValidationError>(json::array()).why(), "it holds no JSON object");
}

TEST(ModelConfig, EscapesThePathInEveryMessage) {
  const ScratchDirectory scratch;
  const auto dir = scratch.path() / "a\x1b[31m";
  std::filesystem::create_directory(dir);
  const std::string file = scratch.path().string() + "/a\\x1B[31m/config.json";
  const auto what = [&](const json& config) -> std::string {
    scratch.write("a\x1b[31m/config.json", config.dump());
    try {
      model::require_complete(model::read_config(dir));
    } catch (const base::QuantizationError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(what(json::array()), "cannot read " + file);
  EXPECT_EQ(what(json::object()), "cannot read " + file);
  json config = small_config();
  config["hidden_size"] = 0;
  EXPECT_EQ(what(config), "cannot read " + file);
  config.erase("hidden_size");
  EXPECT_EQ(what(config), "cannot use " + file);
  config = small_config();
  config["rope_scaling"] = {{"type", "spiral"}};
  EXPECT_EQ(what(config), "cannot read the rope scaling of " + file);
  config["rope_scaling"] = {{"full_attention", json::object()}};
  EXPECT_EQ(what(config), "cannot read the rope parameters of " + file);
}

TEST(ModelConfig, NamesTheQuantizationThatIsThere) {
  EXPECT_EQ(model::quantization_method(read(small_config())), "");
  json config = small_config();
  config["quantization_config"] = {{"quant_method", "awq"}};
  EXPECT_EQ(model::quantization_method(read(config)), "awq");
}

}  // namespace
}  // namespace lq::testing
