#pragma once
// The classes of characters that normalizers and pre-tokenizers ask for, as the reference
// implementation has them.

namespace lq::text {

/// White_Space.
bool is_whitespace(char32_t value);
/// Nd, Nl, No.
bool is_numeric(char32_t value);
/// ASCII punctuation and symbols, and the categories P*.
bool is_punctuation(char32_t value);
/// Mn, Mc, Me.
bool is_mark(char32_t value);
bool is_nonspacing_mark(char32_t value);
/// Control, format, private use and the like, without tab and line ends.
bool is_control(char32_t value);
/// Alphabetic, mark, decimal digit, connector or joiner: \w.
bool is_word(char32_t value);

}  // namespace lq::text
