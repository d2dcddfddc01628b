#pragma once
// Recognises the pre-tokenizer of a tokenizer.json by its own definition: the regular expressions
// of its Split members in order, whether digits are split one by one, and whether ByteLevel applies
// its own expression. Unlike a hash of one encoded sentence this does not depend on the vocabulary,
// so retrained tokenizers are recognised too.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace lq::text {

/// GGUF's name of the splitting ("llama-bpe", "qwen2", "gpt-2" ...); empty when it is none of the
/// known ones. `pre_tokenizer` is that member of tokenizer.json, null included.
std::string pretokenizer_name(const nlohmann::json& pre_tokenizer);

/// What a name stands for beside the vocabulary and its merges: members of tokenizer.json.
struct NamedPretokenizer {
  nlohmann::json pre_tokenizer, normalizer;
  bool ignores_merges = false;   // words that are tokens are not put together from smaller ones
  bool begins_with_bos = false;  // where nothing else says whether texts do
};
/// The reverse of pretokenizer_name() for byte-level tokenizers, also for some further names of the
/// same splittings. Nothing for a name that is not known.
std::optional<NamedPretokenizer> pretokenizer_named(std::string_view name);

/// The expression in a form in which equal splittings written in different dialects are equal:
/// possessive marks dropped, the spellings of English contractions unified.
std::string normalize_split_regex(std::string_view regex);

}  // namespace lq::text
