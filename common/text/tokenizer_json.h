#pragma once
// The vocabulary of a tokenizer.json whose model is BPE: byte-level (GPT-2, Llama 3, Qwen) or with
// byte fallback (Llama 2 and others that come from SentencePiece).

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/text/token_table.h"
#include "common/text/vocabulary.h"

namespace lq::text {

/// Throws UnsupportedError when the model is no BPE of these two kinds, ValidationError when it is
/// broken.
VocabularyKind tokenizer_kind(const nlohmann::json& tokenizer, const std::filesystem::path& file);

/// Tokens, types and added tokens into `table`, merges or scores and the rest but the special ids
/// into `vocabulary`. The texts of the merges are moved out of `tokenizer`. REQUIRES:
/// vocabulary.kind == tokenizer_kind(tokenizer).
void read_tokenizer_json(nlohmann::json& tokenizer, const std::filesystem::path& file,
                         TokenTable& table, Vocabulary& vocabulary);

/// The entries of `added_tokens`. Those beyond the vocabulary are skipped when `skip_outside`, else
/// an error.
void read_added_tokens(const nlohmann::json& tokenizer, const std::filesystem::path& file,
                       bool skip_outside, TokenTable& table);

}  // namespace lq::text
