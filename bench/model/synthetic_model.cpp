#include "bench/model/synthetic_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <vector>

#include "common/tensor/convert.h"

namespace lq::bench {
namespace {

using Json = nlohmann::ordered_json;

struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  std::uint64_t elems() const {
    std::uint64_t product = 1;
    for (const std::int64_t extent : shape) product *= static_cast<std::uint64_t>(extent);
    return product;
  }
};

std::size_t element_bytes(const std::string& dtype) { return dtype == "F32" ? 4 : 2; }

std::vector<TensorSpec> tensors_of(const ModelShape& shape) {
  const std::int64_t hidden = shape.hidden, ffn = shape.ffn;
  const std::int64_t head_size = hidden / shape.heads, kv_rows = head_size * shape.kv_heads;
  std::vector<TensorSpec> tensors = {{"model.embed_tokens.weight", {shape.vocab, hidden}}};
  for (int layer = 0; layer < shape.layers; ++layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    tensors.push_back({prefix + "input_layernorm.weight", {hidden}});
    tensors.push_back({prefix + "self_attn.q_proj.weight", {hidden, hidden}});
    tensors.push_back({prefix + "self_attn.k_proj.weight", {kv_rows, hidden}});
    tensors.push_back({prefix + "self_attn.v_proj.weight", {kv_rows, hidden}});
    tensors.push_back({prefix + "self_attn.o_proj.weight", {hidden, hidden}});
    tensors.push_back({prefix + "post_attention_layernorm.weight", {hidden}});
    tensors.push_back({prefix + "mlp.gate_proj.weight", {ffn, hidden}});
    tensors.push_back({prefix + "mlp.up_proj.weight", {ffn, hidden}});
    tensors.push_back({prefix + "mlp.down_proj.weight", {hidden, ffn}});
  }
  tensors.push_back({"model.norm.weight", {hidden}});
  tensors.push_back({"lm_head.weight", {shape.vocab, hidden}});
  return tensors;
}

/// Normal values in the model's dtype, as bytes that can be written round and round.
std::vector<char> random_block(const std::string& dtype, float mean, float deviation,
                               std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<char> block(count * element_bytes(dtype));
  for (std::size_t i = 0; i < count; ++i) {
    const float value = normal(random);
    if (dtype == "F32") {
      std::memcpy(block.data() + 4 * i, &value, 4);
    } else {
      const std::uint16_t bits =
          dtype == "F16" ? tensor::f32_to_f16(value) : tensor::f32_to_bf16(value);
      std::memcpy(block.data() + 2 * i, &bits, 2);
    }
  }
  return block;
}

/// Writes `size` bytes of the block from `start` on, beginning again at its end.
void write_round(std::ofstream& file, const std::vector<char>& block, std::uint64_t start,
                 std::uint64_t size) {
  std::uint64_t at = start % block.size();
  while (size > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(size, block.size() - at);
    file.write(block.data() + at, static_cast<std::streamsize>(part));
    size -= part;
    at = 0;
  }
}

/// Tensors in order, cut where a file would pass the limit.
std::vector<std::vector<TensorSpec>> shards_of(const ModelShape& shape) {
  std::vector<std::vector<TensorSpec>> shards(1);
  std::uint64_t bytes = 0;
  for (TensorSpec& tensor : tensors_of(shape)) {
    const std::uint64_t size = tensor.elems() * element_bytes(shape.dtype);
    if (!shards.back().empty() && bytes + size > shape.shard_bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += size;
    shards.back().push_back(std::move(tensor));
  }
  return shards;
}

struct WeightBlocks {
  std::vector<char> matrices, norms;
};

void write_shard(const std::filesystem::path& path, const std::vector<TensorSpec>& tensors,
                 const ModelShape& shape, const WeightBlocks& blocks, std::uint64_t first_tensor) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t end = 0;
  for (const TensorSpec& tensor : tensors) {
    const std::uint64_t begin = end;
    end += tensor.elems() * element_bytes(shape.dtype);
    header[tensor.name] = {
        {"dtype", shape.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::ofstream file(path, std::ios::binary);
  const std::uint64_t header_bytes = text.size();
  file.write(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
  file << text;
  constexpr std::uint64_t kStride = 104'729;  // elements between the starts of neighbours
  for (const TensorSpec& tensor : tensors) {
    const std::vector<char>& block = tensor.shape.size() == 1 ? blocks.norms : blocks.matrices;
    write_round(file, block, first_tensor++ * kStride * element_bytes(shape.dtype),
                tensor.elems() * element_bytes(shape.dtype));
  }
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

void write_json(const std::filesystem::path& path, const Json& json) {
  std::ofstream file(path);
  file << json.dump(2) << '\n';
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

Json config_of(const ModelShape& shape) {
  const std::string torch_type =
      shape.dtype == "F32" ? "float32" : (shape.dtype == "F16" ? "float16" : "bfloat16");
  return {{"architectures", {"LlamaForCausalLM"}},
          {"bos_token_id", shape.vocab - 2},
          {"eos_token_id", shape.vocab - 1},
          {"hidden_act", "silu"},
          {"hidden_size", shape.hidden},
          {"intermediate_size", shape.ffn},
          {"max_position_embeddings", 4096},
          {"model_type", "llama"},
          {"num_attention_heads", shape.heads},
          {"num_hidden_layers", shape.layers},
          {"num_key_value_heads", shape.kv_heads},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"tie_word_embeddings", false},
          {"torch_dtype", torch_type},
          {"vocab_size", shape.vocab}};
}

void check(const ModelShape& shape) {
  if (shape.layers < 1 || shape.heads < 1 || shape.kv_heads < 1 || shape.vocab < 258 ||
      shape.hidden % shape.heads != 0 || shape.heads % shape.kv_heads != 0) {
    throw std::runtime_error(
        "the heads must divide the hidden size, the kv heads the heads, and the vocabulary needs "
        "258 entries");
  }
  if (shape.dtype != "BF16" && shape.dtype != "F16" && shape.dtype != "F32") {
    throw std::runtime_error("dtype is BF16, F16 or F32, not " + shape.dtype);
  }
}

}  // namespace

void write_model(const std::filesystem::path& folder, const ModelShape& shape) {
  check(shape);
  std::filesystem::create_directories(folder);
  write_json(folder / "config.json", config_of(shape));
  write_tokenizer(folder, shape.vocab);
  constexpr std::size_t kBlockElems = (std::size_t{1} << 21) - 1;
  const WeightBlocks blocks = {
      random_block(shape.dtype, 0.0f, 0.02f, kBlockElems, shape.seed),
      random_block(shape.dtype, 1.0f, shape.norm_deviation, 16'381, shape.seed + 1)};
  const auto shards = shards_of(shape);
  Json weight_map;
  std::uint64_t total = 0, first_tensor = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const std::string name =
        shards.size() == 1 ? std::string("model.safetensors")
                           : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_shard(folder / name, shards[i], shape, blocks, first_tensor);
    first_tensor += shards[i].size();
    for (const TensorSpec& tensor : shards[i]) {
      weight_map[tensor.name] = name;
      total += tensor.elems() * element_bytes(shape.dtype);
    }
  }
  if (shards.size() > 1) {
    write_json(folder / "model.safetensors.index.json",
               {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}});
  }
}

}  // namespace lq::bench
