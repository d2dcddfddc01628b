#pragma once
// tokenizer.model, the protocol buffer that SentencePiece writes. What of it is read:
//
//   message ModelProto:  1 = piece (repeated)  2 = trainer_spec  3 = normalizer_spec
//   piece:               1 = text  2 = score (float)  3 = type (1 normal, 2 unknown, 3 control,
//                        4 user defined, 5 unused, 6 byte)
//   trainer_spec:        3 = model_type (1 unigram, 2 BPE, 3 word, 4 char)
//   normalizer_spec:     2 = precompiled_charsmap  3 = add_dummy_prefix (default true)
//                        4 = remove_extra_whitespaces (default true)

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/vocabulary.h"

namespace lq::text {

struct SentencePiece {
  std::string text;
  float score = 0;
  TokenType type = TokenType::kNormal;
};

struct SentencePieceModel {
  std::vector<SentencePiece> pieces;
  bool is_bpe = true;  // false when the file says that it is of another kind
  bool is_unigram = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  std::string precompiled_charsmap;  // the table of its normalization; empty = none
};

/// nullopt when `bytes` are no such message (some repositories keep another tokenizer's text under
/// this name). Safe on any bytes: lengths are checked against what is there.
std::optional<SentencePieceModel> parse_sentencepiece(std::string_view bytes);

/// The same of a file; nullopt also when there is none.
std::optional<SentencePieceModel> read_sentencepiece_file(const std::filesystem::path& path);

}  // namespace lq::text
