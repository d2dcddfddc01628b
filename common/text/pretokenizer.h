#pragma once
// Pre-tokenizers: what cuts the normalized text into the pieces that the model sees. One function
// per kind in pretokenizer.cpp's table; Sequence applies several.

#include <functional>

#include "common/text/piece_list.h"
#include "common/text/tokenizer_part.h"

namespace lq::text {

/// Thread rule: may be called from several threads at once.
using Pretokenizer = std::function<void(PieceList& list)>;

/// Null stands for none: the text is one piece. Throws ValidationError, UnsupportedError.
Pretokenizer make_pretokenizer(const TokenizerPart& part);

}  // namespace lq::text
