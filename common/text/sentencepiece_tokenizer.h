#pragma once
// tokenizer.model alone, written as the tokenizer.json that Hugging Face's converter makes of it.

#include <filesystem>
#include <nlohmann/json.hpp>

namespace lq::text {

/// Of DIR/tokenizer.model. tokenizer_config.json, where it is there, says whether a text begins
/// with bos (by default that of a BPE model does) and ends with eos. Throws UnsupportedError when
/// the file is no SentencePiece model of kind BPE or Unigram.
nlohmann::json sentencepiece_tokenizer(const std::filesystem::path& dir);

}  // namespace lq::text
