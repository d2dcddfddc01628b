#include <cmath>
#include <gtest/gtest.h>

#include "common/model/gguf_model.h"
#include "common/model/model_card.h"
#include "common/model/model_id.h"
#include "tests/model/checkpoint_files.h"

namespace lq::testing {
namespace {

using Texts = std::vector<std::string>;

struct Converted {
  explicit Converted(const json& config = small_config(), const json& tokenizer = small_tokenizer(),
                     const std::map<std::string, std::string>& files = {}) {
    write_model(scratch, config, small_shapes(config));
    scratch.write("tokenizer.json", tokenizer.dump());
    for (const auto& [name, text] : files) scratch.write(name, text);
    metadata = model::gguf_metadata(model::open_checkpoint(scratch.path()), std::nullopt);
  }
  template <class T>
  T get(const std::string& key) const {
    const T* value = metadata.get<T>(key);
    EXPECT_NE(value, nullptr) << key;
    return value == nullptr ? T{} : *value;
  }
  bool has(const std::string& key) const { return metadata.find(key) != nullptr; }
  ScratchDirectory scratch;
  gguf::Metadata metadata;
};

TEST(GgufMetadata, StatesTheShapesOfAModel) {
  const Converted model;
  EXPECT_EQ(model.get<std::string>("general.architecture"), "llama");
  EXPECT_EQ(model.metadata.entries().front().first, "general.architecture");
  EXPECT_EQ(model.get<std::uint32_t>("llama.block_count"), 2);
  EXPECT_EQ(model.get<std::uint32_t>("llama.context_length"), 128);
  EXPECT_EQ(model.get<std::uint32_t>("llama.embedding_length"), 32);
  EXPECT_EQ(model.get<std::uint32_t>("llama.feed_forward_length"), 64);
  EXPECT_EQ(model.get<std::uint32_t>("llama.attention.head_count"), 4);
  EXPECT_EQ(model.get<std::uint32_t>("llama.attention.head_count_kv"), 2);
  EXPECT_EQ(model.get<float>("llama.attention.layer_norm_rms_epsilon"), 1e-5F);
  EXPECT_EQ(model.get<float>("llama.rope.freq_base"), 10000);
  EXPECT_EQ(model.get<std::uint32_t>("llama.rope.dimension_count"), 8);
  EXPECT_EQ(model.get<std::uint32_t>("llama.vocab_size"), 10);
  EXPECT_FALSE(model.has("llama.attention.key_length"));
  EXPECT_FALSE(model.has("general.file_type"));
  EXPECT_FALSE(model.has("general.quantization_version"));
}

TEST(GgufMetadata, StatesTheHeadSizeWhereTheConfigDoes) {
  json config = small_config();
  config["head_dim"] = 16;
  const Converted model(config);
  EXPECT_EQ(model.get<std::uint32_t>("llama.attention.key_length"), 16);
  EXPECT_EQ(model.get<std::uint32_t>("llama.attention.value_length"), 16);
  EXPECT_EQ(model.get<std::uint32_t>("llama.rope.dimension_count"), 16);
}

TEST(GgufMetadata, StatesLinearAndYarnScaling) {
  json config = small_config();
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 4}};
  const Converted linear(config);
  EXPECT_EQ(linear.get<std::string>("llama.rope.scaling.type"), "linear");
  EXPECT_EQ(linear.get<float>("llama.rope.scaling.factor"), 4);
  config["rope_scaling"] = {{"rope_type", "yarn"},
                            {"factor", 2},
                            {"original_max_position_embeddings", 64},
                            {"beta_fast", 32}};
  const Converted yarn(config);
  EXPECT_EQ(yarn.get<std::string>("llama.rope.scaling.type"), "yarn");
  EXPECT_EQ(yarn.get<std::uint32_t>("llama.rope.scaling.original_context_length"), 64);
  EXPECT_EQ(yarn.get<float>("llama.rope.scaling.yarn_beta_fast"), 32);
  EXPECT_FALSE(yarn.has("llama.rope.scaling.yarn_beta_slow"));
}

// The runtime multiplies attn_factor by 1 + 0.1 ln(factor) itself.
TEST(GgufMetadata, StatesTheAttentionFactorOfYarnAsTheRuntimeTakesIt) {
  json config = small_config();
  config["rope_scaling"] = {{"rope_type", "yarn"}, {"factor", 4}, {"attention_factor", 1.2}};
  const Converted yarn(config);
  EXPECT_FLOAT_EQ(yarn.get<float>("llama.rope.scaling.attn_factor"),
                  static_cast<float>(1.2 / (1 + 0.1 * std::log(4.0))));
  EXPECT_FALSE(yarn.has("llama.rope.scaling.yarn_attn_factor"));
}

TEST(GgufMetadata, HasNoScalingKeysForLlama3AndDynamic) {
  for (const char* kind : {"llama3", "dynamic", "default"}) {
    json config = small_config();
    config["rope_scaling"] = {{"rope_type", kind}, {"factor", 2}};
    EXPECT_FALSE(Converted(config).has("llama.rope.scaling.type")) << kind;
  }
}

TEST(GgufMetadata, CarriesTheTokenizer) {
  const Converted model;
  EXPECT_EQ(model.get<std::string>("tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(model.get<std::string>("tokenizer.ggml.pre"), "gpt-2");
  EXPECT_EQ(
      model.get<Texts>("tokenizer.ggml.tokens"),
      (Texts{"a", "b", "c", "ab", "abc", "\u0120a", "<s>", "<|im_end|>", "<tool>", "[PAD9]"}));
  EXPECT_EQ(model.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type"),
            (std::vector<std::int32_t>{1, 1, 1, 1, 1, 1, 3, 3, 4, 5}));
  EXPECT_EQ(model.get<Texts>("tokenizer.ggml.merges"), (Texts{"a b", "ab c"}));
  EXPECT_EQ(model.get<std::uint32_t>("tokenizer.ggml.eot_token_id"), 7);
  EXPECT_FALSE(model.get<bool>("tokenizer.ggml.add_bos_token"));
  EXPECT_FALSE(model.has("tokenizer.ggml.scores"));
  EXPECT_FALSE(model.has("tokenizer.chat_template"));
}

TEST(GgufMetadata, TakesIdsFromTheConfigWhereTheTokenizerNamesNone) {
  json config = small_config();
  config["bos_token_id"] = 6;
  config["eos_token_id"] = {7, 6};
  config["pad_token_id"] = -1;
  config["unk_token_id"] = 10;  // no such token
  const Converted model(config);
  EXPECT_EQ(model.get<std::uint32_t>("tokenizer.ggml.bos_token_id"), 6);
  EXPECT_EQ(model.get<std::uint32_t>("tokenizer.ggml.eos_token_id"), 7);
  EXPECT_FALSE(model.has("tokenizer.ggml.padding_token_id"));
  EXPECT_FALSE(model.has("tokenizer.ggml.unknown_token_id"));
}

TEST(GgufMetadata, CarriesChatTemplates) {
  const Converted model(small_config(), small_tokenizer(),
                        {{"tokenizer_config.json",
                          R"({"chat_template": [{"name": "default", "template": "D"},
                                                {"name": "tool use", "template": "T"}]})"}});
  EXPECT_EQ(model.get<std::string>("tokenizer.chat_template"), "D");
  EXPECT_EQ(model.get<std::string>("tokenizer.chat_template.tool_use"), "T");
  EXPECT_EQ(model.get<Texts>("tokenizer.chat_templates"), (Texts{"tool_use"}));
}

TEST(GgufMetadata, NamesTheOptionForAnUnknownPreTokenizer) {
  json tokenizer = small_tokenizer();
  tokenizer["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       {{{"type", "Split"}, {"pattern", {{"Regex", "x+"}}}, {"behavior", "Isolated"}},
        {{"type", "ByteLevel"}, {"use_regex", false}}}}};
  const ScratchDirectory scratch;
  const auto config = small_config();
  write_model(scratch, config, small_shapes(config));
  scratch.write("tokenizer.json", tokenizer.dump());
  const auto checkpoint = model::open_checkpoint(scratch.path());
  const auto error =
      error_of<base::UnsupportedError>([&] { model::gguf_metadata(checkpoint, std::nullopt); });
  EXPECT_EQ(error.why(), "it splits text in a way that is none of those known here");
  EXPECT_NE(error.fix().find("--pre NAME"), std::string::npos);
  const gguf::Metadata named = model::gguf_metadata(checkpoint, "qwen2");
  EXPECT_EQ(*named.get<std::string>("tokenizer.ggml.pre"), "qwen2");
  EXPECT_THROW(model::gguf_metadata(checkpoint, "Not A Name"), base::UsageError);
  EXPECT_THROW(model::gguf_metadata(checkpoint, ""), base::UsageError);
}

TEST(GgufMetadata, CarriesRecommendedSampling) {
  const Converted model(
      small_config(), small_tokenizer(),
      {{"generation_config.json",
        R"({"temperature": 0.6, "top_k": 20, "top_p": null, "repetition_penalty": 1.1, "min_p": "x"})"}});
  EXPECT_EQ(model.get<float>("general.sampling.temp"), 0.6F);
  EXPECT_EQ(model.get<std::int32_t>("general.sampling.top_k"), 20);
  EXPECT_EQ(model.get<float>("general.sampling.penalty_repeat"), 1.1F);
  EXPECT_FALSE(model.has("general.sampling.top_p"));
  EXPECT_FALSE(model.has("general.sampling.min_p"));
}

TEST(GgufMetadata, CarriesTheModelCard) {
  const Converted model(
      small_config(), small_tokenizer(),
      {{"README.md",
        "---\nlicense: apache-2.0\nbase_model: some-org/Base-1B-v0.1\nlanguage:\n- en\n- de\n"
        "tags: [chat, chat]\npipeline_tag: text-generation\n---\n# Title\n"}});
  EXPECT_EQ(model.get<std::string>("general.license"), "apache-2.0");
  EXPECT_EQ(model.get<Texts>("general.languages"), (Texts{"en", "de"}));
  EXPECT_EQ(model.get<Texts>("general.tags"), (Texts{"chat", "text-generation"}));
  EXPECT_EQ(model.get<std::uint32_t>("general.base_model.count"), 1);
  EXPECT_EQ(model.get<std::string>("general.base_model.0.name"), "Base 1B v0.1");
  EXPECT_EQ(model.get<std::string>("general.base_model.0.organization"), "Some Org");
  EXPECT_EQ(model.get<std::string>("general.base_model.0.version"), "v0.1");
}

TEST(ModelCard, ThatIsNoYamlCountsAsAbsent) {
  for (const char* text : {"", "# Title", "---\n", "---\na: [\n---\n", "---\n- a\n---\n",
                           "---\nlicense: {a: b}\n---\n"}) {
    const ScratchDirectory scratch;
    scratch.write("README.md", text);
    EXPECT_TRUE(model::read_model_card(scratch.path()).license.empty()) << text;
  }
}

TEST(ModelId, IsSplitIntoItsParts) {
  const auto expect = [](const char* id, std::uint64_t n, const char* base, const char* size,
                         const char* tune, const char* version) {
    const model::ModelId parts = model::split_model_id(id, n);
    EXPECT_EQ(parts.basename, base) << id;
    EXPECT_EQ(parts.size_label, size) << id;
    EXPECT_EQ(parts.finetune, tune) << id;
    EXPECT_EQ(parts.version, version) << id;
  };
  expect("Qwen2.5-0.5B-Instruct", 494'032'768, "Qwen2.5", "0.5B", "Instruct", "");
  expect("SmolLM2-135M-Instruct", 134'515'008, "SmolLM2", "135M", "Instruct", "");
  expect("Meta-Llama-3-8B", 8'030'261'248, "Meta-Llama-3", "8B", "", "");
  expect("Mistral-7B-Instruct-v0.3", 7'248'023'552, "Mistral", "7B", "Instruct", "v0.3");
  expect("Mixtral-8x7B-v0.1", 46'702'792'704, "Mixtral", "8x7B", "", "v0.1");
  expect("TinyLlama-1.1B-Chat-v1.0", 1'100'048'384, "TinyLlama", "1.1B", "Chat", "v1.0");
  expect("llama-7b-hf", 6'738'415'616, "llama", "7B", "hf", "");
  expect("smollm2", 134'515'008, "", "", "", "");
  expect("my-folder", 1'000, "", "", "", "");
}

TEST(ModelId, BecomesATitle) {
  EXPECT_EQ(model::title_of("meta-llama-3-8b"), "Meta Llama 3 8b");
  EXPECT_EQ(model::title_of("Qwen2.5-0.5B-Instruct"), "Qwen2.5 0.5B Instruct");
  EXPECT_EQ(model::title_of("mistral-v0.1"), "Mistral v0.1");
  EXPECT_EQ(model::title_of(""), "");
}

TEST(SizeLabel, HasAtLeastTwoDigits) {
  EXPECT_EQ(model::size_label(8'030'261'248), "8.0B");
  EXPECT_EQ(model::size_label(134'515'008), "135M");
  EXPECT_EQ(model::size_label(70'553'706'496), "71B");
  EXPECT_EQ(model::size_label(5'770'496), "5.8M");
  EXPECT_EQ(model::size_label(500), "0.5K");
}

}  // namespace
}  // namespace lq::testing
