// The type of every tensor equals what llama.cpp's quantizer chooses, on synthetic models of many
// shapes: every file type, with and without importance, with the user's own wishes.

#include <algorithm>
#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <tuple>

#include "common/base/text.h"
#include "common/gguf/layout.h"
#include "common/mix/type_mix.h"
#include "tests/support/llama_peer.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using codec::QuantType;
using model::GgufTensor;
using model::TensorRole;
using Types = std::vector<std::pair<std::string, std::string>>;

struct Shape {
  std::string_view label;
  std::string_view architecture;  // on the Hub
  std::string_view gguf;
  std::int64_t n_layers, hidden, ffn, n_heads, n_kv_heads, vocab;
  bool tied;
};

// Rows as short as the widest block allows keep 80 layers small.
constexpr std::array kShapes = {
    Shape{"grouped 4:1", "LlamaForCausalLM", "llama", 32, 256, 512, 8, 2, 64, false},
    Shape{"one key-value head per query head", "LlamaForCausalLM", "llama", 32, 256, 512, 8, 8, 64,
          false},
    Shape{"tied embeddings", "LlamaForCausalLM", "llama", 18, 256, 256, 4, 1, 64, true},
    Shape{"six layers, grouped 2:1", "MistralForCausalLM", "llama", 6, 256, 512, 4, 2, 64, false},
    Shape{"rows of 576", "LlamaForCausalLM", "llama", 30, 576, 1536, 9, 3, 64, true},
    Shape{"rows of 48", "LlamaForCausalLM", "llama", 3, 48, 80, 4, 2, 64, false},
    Shape{"80 layers", "LlamaForCausalLM", "llama", 80, 256, 256, 8, 1, 32, false},
    Shape{"80 layers, one key-value head per query head", "LlamaForCausalLM", "llama", 80, 256, 256,
          8, 8, 32, false},
    Shape{"Qwen2", "Qwen2ForCausalLM", "qwen2", 24, 256, 512, 14, 2, 64, true},
    Shape{"Qwen2 of 80 layers", "Qwen2ForCausalLM", "qwen2", 80, 256, 256, 8, 1, 32, false},
    Shape{"Qwen3", "Qwen3ForCausalLM", "qwen3", 28, 256, 512, 8, 4, 64, true},
};

model::ModelConfig config_of(const Shape& shape) {
  model::ModelConfig config;
  config.architecture = shape.architecture;
  config.n_layers = shape.n_layers;
  config.hidden = shape.hidden;
  config.ffn = shape.ffn;
  config.n_heads = shape.n_heads;
  config.n_kv_heads = shape.n_kv_heads;
  config.head_dim = 32;
  config.vocab = shape.vocab;
  return config;
}

/// As gguf_tensors() makes them: the architecture's rows, sorted.
std::vector<GgufTensor> tensors_of(const Shape& shape) {
  const model::ModelConfig config = config_of(shape);
  std::vector<GgufTensor> tensors;
  for (const model::TensorRow& row : model::find_architecture(config).tensors) {
    if (row.role == TensorRole::kOutput && shape.tied) continue;
    for (std::int64_t layer = 0; layer < (row.per_layer() ? shape.n_layers : 1); ++layer) {
      GgufTensor tensor;
      tensor.name = std::string(row.gguf) + ".weight";
      const std::size_t mark = tensor.name.find("{L}");
      if (mark != std::string::npos) tensor.name.replace(mark, 3, std::to_string(layer));
      tensor.role = row.role;
      tensor.layer = row.per_layer() ? static_cast<int>(layer) : -1;
      const auto rows = static_cast<std::uint64_t>(model::extent_of(row.rows, config));
      tensor.is_matrix = row.columns != model::Extent::kNone;
      tensor.dims = {rows};
      if (tensor.is_matrix) {
        tensor.dims = {static_cast<std::uint64_t>(model::extent_of(row.columns, config)), rows};
      }
      tensors.push_back(std::move(tensor));
    }
  }
  std::ranges::sort(tensors, [](const GgufTensor& a, const GgufTensor& b) {
    return std::tie(a.layer, a.name) < std::tie(b.layer, b.name);
  });
  return tensors;
}

void write_gguf(const std::filesystem::path& path, const gguf::Metadata& metadata,
                const std::vector<gguf::TensorSpec>& specs, float value) {
  const gguf::Layout layout = gguf::lay_out(metadata, specs);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(layout.header.data()),
             static_cast<std::streamsize>(layout.header.size()));
  // Zeros, or the same float32 everywhere; padding as well, which nobody reads.
  std::vector<float> data((layout.file_bytes - layout.header.size()) / sizeof(float), value);
  file.write(reinterpret_cast<const char*>(data.data()),
             static_cast<std::streamsize>(data.size() * sizeof(float)));
}

std::filesystem::path write_model(const ScratchDirectory& scratch, const Shape& shape,
                                  std::span<const GgufTensor> tensors) {
  gguf::Metadata metadata;
  const std::string prefix = std::string(shape.gguf) + ".";
  const auto number = [&](const std::string& key, std::int64_t value) {
    metadata.set(prefix + key, static_cast<std::uint32_t>(value));
  };
  metadata.set("general.architecture", std::string(shape.gguf));
  number("block_count", shape.n_layers);
  number("context_length", 128);
  number("embedding_length", shape.hidden);
  number("feed_forward_length", shape.ffn);
  number("attention.head_count", shape.n_heads);
  number("attention.head_count_kv", shape.n_kv_heads);
  number("attention.key_length", 32);
  number("attention.value_length", 32);
  number("vocab_size", shape.vocab);
  metadata.set(prefix + "attention.layer_norm_rms_epsilon", 1e-5F);
  metadata.set("tokenizer.ggml.model", std::string("none"));
  std::vector<gguf::TensorSpec> specs;
  for (const GgufTensor& tensor : tensors)
    specs.push_back({tensor.name, tensor.dims, QuantType::kF32});
  const std::filesystem::path path = scratch.path() / "model.gguf";
  write_gguf(path, metadata, specs, 0);
  return path;
}

/// An importance matrix with an entry of ones for every matrix.
std::filesystem::path write_importance(const ScratchDirectory& scratch,
                                       std::span<const GgufTensor> tensors) {
  gguf::Metadata metadata;
  metadata.set("general.type", std::string("imatrix"));
  metadata.set("imatrix.datasets", std::vector<std::string>{"none"});
  metadata.set("imatrix.chunk_count", std::uint32_t{1});
  metadata.set("imatrix.chunk_size", std::uint32_t{1});
  std::vector<gguf::TensorSpec> specs;
  for (const GgufTensor& tensor : tensors) {
    if (!tensor.is_matrix) continue;
    specs.push_back({tensor.name + ".counts", {1, 1}, QuantType::kF32});
    specs.push_back({tensor.name + ".in_sum2", {tensor.row_elems(), 1}, QuantType::kF32});
  }
  std::ranges::sort(specs, {}, &gguf::TensorSpec::name);
  const std::filesystem::path path = scratch.path() / "importance.gguf";
  write_gguf(path, metadata, specs, 1);
  return path;
}

Types ours(const mix::FileType& type, const Shape& shape, std::span<const GgufTensor> tensors,
           bool weighted, const mix::MixOverrides& overrides = {}) {
  const auto choices = mix::choose_types(type, tensors, config_of(shape), weighted, overrides);
  Types types;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    types.emplace_back(tensors[i].name, codec::codec(choices[i].type).name);
  }
  return types;
}

/// The peer spells types in its own case.
Types lower(Types types) {
  for (auto& [name, type] : types) type = base::to_lower(type);
  return types;
}

Types peers(const std::filesystem::path& model, const std::string& type,
            const std::string& importance, const std::vector<std::string>& options = {}) {
  std::vector<std::string> arguments = {"types", model.string(), "unused.gguf", type, importance};
  arguments.insert(arguments.end(), options.begin(), options.end());
  std::istringstream lines(llama_peer(arguments));
  Types types;
  for (std::string name, one; lines >> name >> one;) types.emplace_back(name, one);
  return types;
}

void compare_all_types(const Shape& shape, bool weighted) {
  SCOPED_TRACE(shape.label);
  const ScratchDirectory scratch;
  const std::vector<GgufTensor> tensors = tensors_of(shape);
  const auto model = write_model(scratch, shape, tensors);
  const std::string importance = weighted ? write_importance(scratch, tensors).string() : "none";
  for (const mix::FileType& type : mix::file_types()) {
    if (type.base_needs_importance && !weighted) continue;
    SCOPED_TRACE(type.name);
    EXPECT_EQ(lower(ours(type, shape, tensors, weighted)),
              lower(peers(model, std::string(type.name), importance)));
  }
}

TEST(MixPeer, ChoosesTheSameTypesWithoutImportance) {
  LQ_NEED_PEER("LLAMA_PEER");
  for (const Shape& shape : kShapes) compare_all_types(shape, false);
}

TEST(MixPeer, ChoosesTheSameTypesWithImportance) {
  LQ_NEED_PEER("LLAMA_PEER");
  for (const Shape& shape : kShapes) compare_all_types(shape, true);
}

TEST(MixPeer, FollowsTheSameWishes) {
  LQ_NEED_PEER("LLAMA_PEER");
  const Shape& shape = kShapes.front();
  const ScratchDirectory scratch;
  const std::vector<GgufTensor> tensors = tensors_of(shape);
  const auto model = write_model(scratch, shape, tensors);
  const mix::FileType& type = mix::find_file_type("q4_k_m");
  EXPECT_EQ(lower(ours(type, shape, tensors, false, {.pure = true})),
            lower(peers(model, "Q4_K_M", "none", {"--pure"})));
  EXPECT_EQ(lower(ours(type, shape, tensors, false,
                       {.output = QuantType::kF16, .embedding = QuantType::kQ8_0})),
            lower(peers(model, "Q4_K_M", "none", {"--output-type", "f16", "--embd-type", "q8_0"})));
  EXPECT_EQ(
      lower(ours(type, shape, tensors, false,
                 {.patterns = {{"blk\\.[0-3]\\.ffn_down", QuantType::kQ5K},
                               {"attn_v", QuantType::kQ8_0},
                               {"ffn_down", QuantType::kQ3K}}})),
      lower(peers(model, "Q4_K_M", "none",
                  {"--tensor-type", "blk\\.[0-3]\\.ffn_down=q5_K,attn_v=q8_0,ffn_down=q3_K"})));
  EXPECT_EQ(
      lower(ours(type, shape, tensors, false, {.patterns = {{"blk\\.[0-9]\\.", QuantType::kQ6K}}})),
      lower(peers(model, "Q4_K_M", "none", {"--tensor-type", "blk\\.[0-9]\\.=q6_K"})));
}

TEST(MixPeer, RefusesTheSameWithoutImportance) {
  LQ_NEED_PEER("LLAMA_PEER");
  const Shape& shape = kShapes.front();
  const ScratchDirectory scratch;
  const std::vector<GgufTensor> tensors = tensors_of(shape);
  const auto model = write_model(scratch, shape, tensors);
  const mix::FileType& type = mix::find_file_type("Q2_K_S");
  const auto choices = mix::choose_types(type, tensors, config_of(shape), false, {});
  bool needed = false;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    needed |= mix::needs_importance(type, tensors[i], choices[i]);
  }
  EXPECT_TRUE(needed);
  const Outcome outcome = run({{peer_path("LLAMA_PEER"), "quantize", model.string(),
                                (scratch.path() / "out.gguf").string(), "Q2_K_S", "none"},
                               {},
                               {}});
  EXPECT_NE(outcome.exit_code, 0);
}

}  // namespace
}  // namespace lq::testing
