#pragma once
// Normalizers: what changes the text before it is cut into pieces. One function per kind in
// normalizer.cpp's table; Sequence applies several.

#include <functional>
#include <string>

#include "common/text/tokenizer_part.h"

namespace lq::text {

/// Changes valid UTF-8 text in place. Thread rule: may be called from several threads at once.
using Normalizer = std::function<void(std::string& text)>;

/// Null stands for none, which changes nothing. Throws ValidationError, UnsupportedError.
Normalizer make_normalizer(const TokenizerPart& part);

// The kinds that have a file of their own.
Normalizer make_unicode_form(const TokenizerPart& part);          // NFC, NFD, NFKC, NFKD
Normalizer make_precompiled_charsmap(const TokenizerPart& part);  // Precompiled
Normalizer make_bert_normalizer(const TokenizerPart& part);       // BertNormalizer

/// Canonical decomposition, as the kind NFD does it.
void decompose(std::string& text);

/// `text` with `write` applied to each of its code points, which appends what stands for it.
void rewrite_characters(std::string& text,
                        const std::function<void(char32_t value, std::string& out)>& write);
void append_lower_case(char32_t value, std::string& out);

}  // namespace lq::text
