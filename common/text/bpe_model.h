#pragma once
// Byte pair encoding: a piece begins as its characters; then, again and again, the neighbours that
// the earliest merge joins are joined, the leftmost first.

#include <memory>

#include "common/text/subword_model.h"

namespace lq::text {

/// Members read: vocab, merges, unk_token, byte_fallback, fuse_unk, ignore_merges,
/// continuing_subword_prefix, end_of_word_suffix, dropout. Throws ValidationError, also for a merge
/// of tokens that are not in the vocabulary; UnsupportedError for dropout, which is random.
std::unique_ptr<const SubwordModel> make_bpe_model(const TokenizerPart& part);

}  // namespace lq::text
