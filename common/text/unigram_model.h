#pragma once
// Unigram: every token has a score (the logarithm of its probability), and a piece is cut so that
// the sum of the scores is highest.

#include <memory>

#include "common/text/subword_model.h"

namespace lq::text {

/// Members read: vocab ([[token, score], ...]), unk_id, byte_fallback. Throws ValidationError.
std::unique_ptr<const SubwordModel> make_unigram_model(const TokenizerPart& part);

}  // namespace lq::text
