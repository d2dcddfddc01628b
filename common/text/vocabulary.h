#pragma once
// A model's vocabulary as a runtime needs it: token texts, types, scores or merges, special ids,
// and the name of the pre-tokenizer. Read from tokenizer.json or tokenizer.model.
//
// Where both are there, tokenizer.json is what the model was made with, but only tokenizer.model
// has the scores that SentencePiece trained. So tokenizer.model is taken (as llama.cpp's converter
// does) when its pieces are those of tokenizer.json, and tokenizer.json when they differ, for
// instance after a tokenizer was trained again.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace lq::text {

enum class VocabularyKind { kByteLevelBpe, kSentencePieceBpe };
/// Values as in GGUF's tokenizer.ggml.token_type.
enum class TokenType : std::int32_t {
  kNormal = 1,
  kUnknown,
  kControl,
  kUserDefined,
  kUnused,
  kByte
};

struct Vocabulary {
  VocabularyKind kind;
  std::string
      pre;  // "llama-bpe", "qwen2", ...; empty = not recognised; "default" for SentencePiece
  std::filesystem::path source;     // the file that the tokens come from
  std::vector<std::string> tokens;  // index = id, exactly vocab_size entries
  std::vector<TokenType> types;
  std::vector<float> scores;        // SentencePiece only
  std::vector<std::string> merges;  // byte-level BPE only: "left right"
  std::map<std::string, std::uint32_t>
      special_ids;  // by GGUF key stem: "bos", "eos", "unknown", "padding", "eot" ...
  std::optional<bool> add_bos, add_eos, add_space_prefix;
  std::string chat_template;  // empty = none
  std::map<std::string, std::string> named_templates;
};

/// `vocab_size` is the config's. Throws ModelNotFoundError (no tokenizer files), ValidationError,
/// UnsupportedError. `config_ids` supplies bos/eos/... ids from config.json, by GGUF key stem, for
/// what the tokenizer files leave open. REQUIRES: vocab_size > 0.
Vocabulary read_vocabulary(const std::filesystem::path& dir, std::int64_t vocab_size,
                           const std::map<std::string, std::uint32_t>& config_ids);

/// Throws the ModelNotFoundError of a directory without tokenizer.json and tokenizer.model.
[[noreturn]] void report_missing_tokenizer(const std::filesystem::path& dir);

}  // namespace lq::text
