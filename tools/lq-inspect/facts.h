#pragma once
// What there is to say about a model, whatever it is stored as. Both reports and --diff read this
// and nothing else.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lq::inspect {

struct TensorFacts {
  std::string name;
  std::string type;                  // "BF16", "Q4_K"
  std::vector<std::uint64_t> shape;  // slowest dimension first
  std::uint64_t bytes = 0;
  std::string file;  // file name, empty where there is only one
};

/// A labelled value of the text report; the key is its name in JSON.
struct Fact {
  std::string key, label;
  nlohmann::ordered_json value;
};

struct ModelFacts {
  std::string kind;  // "huggingface" or "gguf"
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
