#pragma once
// tokenizer.model alone, written as the tokenizer.json that Hugging Face's converter makes of it.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/text/post_processor.h"
#include "common/text/sentencepiece_model.h"

namespace lq::text {

/// Of pieces in memory. Throws ValidationError, which names `file`, for a piece that is no text.
/// REQUIRES: a model of kind BPE or Unigram, tokens that are among the pieces.
nlohmann::json sentencepiece_tokenizer(const SentencePieceModel& model,
                                       const std::optional<SurroundingToken>& before,
                                       const std::optional<SurroundingToken>& behind,
                                       const std::filesystem::path& file);

/// Of DIR/tokenizer.model. tokenizer_config.json, where it is there, says whether a text begins
/// with bos (by default that of a BPE model does) and ends with eos. Throws UnsupportedError when
/// the file is no SentencePiece model of kind BPE or Unigram.
nlohmann::json sentencepiece_tokenizer(const std::filesystem::path& dir);

}  // namespace lq::text
