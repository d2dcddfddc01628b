#pragma once
// What there is to say about a model, whatever it is stored as. Both reports and --diff read this
// and nothing else.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tools/lq-inspect/hyperparameters.h"

namespace lq::inspect {

struct TensorFacts {
  std::string name;
  std::string type;                  // "BF16", "Q4_K"
  std::vector<std::uint64_t> shape;  // slowest dimension first
  std::uint64_t bytes = 0;
  std::string file;  // file name, empty where there is only one
};

enum class Storage : std::uint8_t { kHuggingFace, kGguf };

struct StorageRow {
  Storage storage;
  std::string_view key, label;  // in JSON, in the text report
};
const StorageRow& storage_row(Storage storage);

struct ModelFacts {
  Storage storage = Storage::kHuggingFace;
  std::string path;
  std::string name;          // of the model; may be empty
  std::string architecture;  // "LlamaForCausalLM", "llama"
  std::uint64_t parameters = 0;
  std::uint64_t tensor_bytes = 0, file_bytes = 0;
  std::size_t n_files = 0;
  std::vector<Fact> hyperparameters;    // in the order of the report
  nlohmann::ordered_json tokenizer;     // kind, pre, tokens, ...; null when there is none
  nlohmann::ordered_json quantization;  // null when nothing is quantized
  nlohmann::ordered_json metadata;      // everything a diff should compare: config.json, GGUF keys
  std::vector<TensorFacts> tensors;
  std::vector<std::string> notes;  // what is odd but no error
};

/// Tensors and bytes of each type, most bytes first.
struct TypeShare {
  std::string type;
  std::size_t n_tensors = 0;
  std::uint64_t bytes = 0;
};
std::vector<TypeShare> type_shares(const ModelFacts& facts);

/// Opens whatever `path` is: a Hugging Face directory or a GGUF file (any part of a split one).
/// Reads headers only. Throws ModelNotFoundError, ValidationError, UnsupportedError.
ModelFacts read_facts(const std::string& path);

}  // namespace lq::inspect
