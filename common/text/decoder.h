#pragma once
// Decoders: what makes a text of the pieces that ids stand for, the way back from normalizer and
// pre-tokenizer. One function per kind in decoder.cpp's table; Sequence applies several. What is
// left of the pieces in the end stands in the text one behind the other.

#include <functional>
#include <string>
#include <vector>

#include "common/text/tokenizer_part.h"

namespace lq::text {

/// Changes pieces, each valid UTF-8, in place. Thread rule: may be called from several threads at
/// once.
using Decoder = std::function<void(std::vector<std::string>& pieces)>;

/// Null stands for one that puts a space between two pieces. Throws ValidationError,
/// UnsupportedError.
Decoder make_decoder(const TokenizerPart& part);

}  // namespace lq::text
