#pragma once
// A model loaded into llama.cpp, evaluated on windows of token ids.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/peers/llama/llama_api.h"

namespace peer {

using Tokens = std::vector<std::int32_t>;
using EvaluatedCallback = bool (*)(Tensor*, bool, void*);

enum class Evaluation {
  kReproducible,  // a cache of F32, no flash attention
  kUsual,         // as the library's users have it
};

class Runner {
 public:
  Runner(const std::string& path, std::size_t longest_window, int n_threads,
         EvaluatedCallback evaluated = nullptr, void* evaluated_data = nullptr,
         Evaluation evaluation = Evaluation::kReproducible);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Evaluates the window from position 0; logits(i) are then those after token i, or only those
  /// after the last one are there.
  void run(const Tokens& window, bool all_logits = true);
  std::span<const float> logits(std::size_t position) const;  // [vocabulary]

 private:
  Model* model_;
  Context* context_;
  Batch batch_;
  std::size_t n_vocab_;
};

struct TokenizeOptions {
  bool add_special = false;    // what the model puts in front of a text
  bool parse_special = false;  // special tokens spelled out in the text
};
/// Token ids of `text` by the vocabulary of a GGUF file.
std::vector<Tokens> tokenize(const std::string& model_path, std::span<const std::string> texts,
                             TokenizeOptions options);

/// Windows of the lists in a JSON file: several lists are taken as they are, one is cut every
/// `window` tokens.
std::vector<Tokens> read_windows(const std::string& path, std::size_t window);
std::size_t longest(std::span<const Tokens> windows);

}  // namespace peer
