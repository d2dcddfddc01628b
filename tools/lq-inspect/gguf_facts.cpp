#include "tools/lq-inspect/gguf_facts.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "common/codec/codec.h"
#include "common/gguf/reader.h"
#include "common/mix/type_mix.h"

namespace lq::inspect {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// Vocabularies are compared and counted, never printed: long arrays become their length.
constexpr std::size_t kLongArray = 64;

ordered_json json_of(const gguf::Value& value) {
  return std::visit(
      [](const auto& held) -> ordered_json {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (requires { typename Held::value_type; } &&
                      !std::is_same_v<Held, std::string>) {
          if (held.size() > kLongArray) return {{"elements", held.size()}};
        }
        return held;
      },
      value);
}

/// An integer key whatever its width, 0 when it is not there.
std::int64_t integer(const gguf::Metadata& metadata, const std::string& key) {
  const gguf::Value* value = metadata.find(key);
  if (value == nullptr) return 0;
  return std::visit(
      [](const auto& held) -> std::int64_t {
        if constexpr (std::is_integral_v<std::decay_t<decltype(held)>>) {
          return static_cast<std::int64_t>(held);
        } else {
          return 0;
        }
      },
      *value);
}

std::string text(const gguf::Metadata& metadata, const std::string& key) {
  const auto* value = metadata.get<std::string>(key);
  return value == nullptr ? "" : *value;
}

RopeFacts rope_of(const gguf::Metadata& metadata, const std::string& prefix) {
  RopeFacts rope;
  if (const auto* base = metadata.get<float>(prefix + "freq_base")) rope.base = *base;
  const std::string scaling = text(metadata, prefix + "scaling.type");
  if (!scaling.empty()) rope.scaling = scaling;
  if (const auto* factor = metadata.get<float>(prefix + "scaling.factor")) rope.factor = *factor;
  rope.original_context = integer(metadata, prefix + "scaling.original_context_length");
  return rope;
}

Hyperparameters hyperparameters_of(const gguf::Metadata& metadata, const std::string& architecture,
                                   bool tied) {
  const std::string prefix = architecture + ".";
  const auto number = [&](const char* key) { return integer(metadata, prefix + key); };
  Hyperparameters numbers{.layers = number("block_count"),
                          .hidden_size = number("embedding_length"),
                          .feed_forward_size = number("feed_forward_length"),
                          .heads = number("attention.head_count"),
                          .kv_heads = number("attention.head_count_kv"),
                          .head_dim = number("attention.key_length"),
                          .vocabulary_size = number("vocab_size"),
                          .context_length = number("context_length"),
                          .sliding_window = number("attention.sliding_window"),
                          .experts = number("expert_count"),
                          .rope = rope_of(metadata, prefix + "rope."),
                          .tied_embeddings = tied};
  if (numbers.kv_heads == 0) numbers.kv_heads = numbers.heads;
  if (numbers.head_dim == 0 && numbers.heads != 0) {
    numbers.head_dim = numbers.hidden_size / numbers.heads;
  }
  if (const auto* tokens = metadata.get<std::vector<std::string>>("tokenizer.ggml.tokens")) {
    numbers.vocabulary_size = static_cast<std::int64_t>(tokens->size());
  }
  return numbers;
}

ordered_json tokenizer_of(const gguf::Metadata& metadata) {
  const std::string model = text(metadata, "tokenizer.ggml.model");
  if (model.empty()) return nullptr;
  ordered_json json;
  json["kind"] = model == "gpt2"    ? "byte-level BPE"
                 : model == "llama" ? "SentencePiece BPE"
                                    : model;
  json["pre"] = text(metadata, "tokenizer.ggml.pre");
  if (const auto* tokens = metadata.get<std::vector<std::string>>("tokenizer.ggml.tokens")) {
    json["tokens"] = tokens->size();
  }
  if (const auto* merges = metadata.get<std::vector<std::string>>("tokenizer.ggml.merges")) {
    json["merges"] = merges->size();
  }
  constexpr std::string_view kFront = "tokenizer.ggml.", kBack = "_token_id";
  for (const auto& [key, value] : metadata.entries()) {
    const auto* id = std::get_if<std::uint32_t>(&value);
    if (id != nullptr && key.starts_with(kFront) && key.ends_with(kBack)) {
      json[key.substr(kFront.size(), key.size() - kFront.size() - kBack.size())] = *id;
    }
  }
  json["chat_template"] = metadata.find("tokenizer.chat_template") != nullptr;
  return json;
}

ordered_json quantization_of(const gguf::Metadata& metadata) {
  const auto* id = metadata.get<std::uint32_t>("general.file_type");
  if (id == nullptr) return nullptr;
  const auto types = mix::file_types();
  const auto type = std::ranges::find(types, *id, &mix::FileType::id);
  ordered_json json = {{"method", "gguf"}};
  if (type != types.end()) {
    if (!codec::codec(type->base).quantized) return nullptr;
    json["type"] = type->name;
  } else {
    json["file_type"] = *id;
  }
  const std::string matrix = text(metadata, "quantize.imatrix.file");
  if (!matrix.empty()) json["imatrix"] = matrix;
  return json;
}

}  // namespace

ModelFacts gguf_facts(const fs::path& path) {
  const gguf::Reader reader(path);
  ModelFacts facts;
  facts.storage = Storage::kGguf;
  facts.path = path.string();
  facts.name = text(reader.metadata(), "general.name");
  facts.architecture = text(reader.metadata(), "general.architecture");
  facts.n_files = reader.files().size();
  facts.file_bytes = reader.file_bytes();
  for (const gguf::TensorInfo& tensor : reader.tensors()) {
    facts.tensors.push_back(
        {tensor.name,
         std::string(codec::codec(tensor.type).name),
         {tensor.dims.rbegin(), tensor.dims.rend()},
         tensor.n_bytes,
         facts.n_files < 2 ? "" : reader.files()[tensor.file].filename().string()});
    facts.tensor_bytes += tensor.n_bytes;
    // The divisors of rope scaling are made by the converter, not trained.
    if (tensor.name != "rope_freqs.weight") {
      facts.parameters += tensor.n_elems;
    }
  }
  facts.hyperparameters = facts_of(hyperparameters_of(reader.metadata(), facts.architecture,
                                                      reader.find("output.weight") == nullptr));
  facts.tokenizer = tokenizer_of(reader.metadata());
  facts.quantization = quantization_of(reader.metadata());
  for (const auto& [key, value] : reader.metadata().entries()) facts.metadata[key] = json_of(value);
  facts.notes.assign(reader.warnings().begin(), reader.warnings().end());
  return facts;
}

}  // namespace lq::inspect
