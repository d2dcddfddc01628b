#pragma once
// The two models of whole words: WordPiece takes the longest token at each place, WordLevel only
// knows complete words.

#include <memory>

#include "common/text/subword_model.h"

namespace lq::text {

/// Members read: vocab, unk_token, continuing_subword_prefix, max_input_chars_per_word.
std::unique_ptr<const SubwordModel> make_wordpiece_model(const TokenizerPart& part);
/// Members read: vocab, unk_token.
std::unique_ptr<const SubwordModel> make_wordlevel_model(const TokenizerPart& part);

}  // namespace lq::text
