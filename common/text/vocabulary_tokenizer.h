#pragma once
// A vocabulary as runtimes have it, written as the tokenizer.json that it came from: the reverse of
// read_vocabulary(). What a vocabulary does not hold is what its pre-tokenizer's name stands for;
// that some added tokens take the blanks beside them is lost.

#include <nlohmann/json.hpp>

#include "common/text/vocabulary.h"

namespace lq::text {

/// Throws ValidationError for tokens that are no text or two that are the same; UnsupportedError for
/// a pre-tokenizer of a byte-level vocabulary that is not known. Errors name `source`.
/// REQUIRES: as many types, and scores of a SentencePiece vocabulary, as tokens; special ids below
/// their number.
nlohmann::json vocabulary_tokenizer(const Vocabulary& vocabulary);

}  // namespace lq::text
