#pragma once
// Where the reference's Unicode differs from that of the libraries used here. It puts together
// parts of several Unicode versions: punctuation of 8, normalization of 9, the classes of regular
// expressions of 16; PCRE2 10.42 has 14, utf8proc 2.8 has 15. Ids must not depend on that, so the
// differing code points stand in tables.

namespace lq::text {

struct CodeRange {
  char32_t first, last;
};
struct StandIn {
  char32_t first, last;
  /// A code point of the same category and UTF-8 length in Unicode 14; of the same script too, where
  /// one exists: not for the Cyrillic modifiers from U+1E030 to U+1E08F.
  char32_t like;
};

bool punctuation_since_unicode_8(char32_t value);
bool mark_since_unicode_9(char32_t value);
/// It decomposes, composes, or is reordered, and the reference leaves it alone.
bool normalized_since_unicode_9(char32_t value);
bool number_since_unicode_15(char32_t value);

/// The small form of a capital letter that utf8proc does not know; `value` itself for any other.
char32_t lower_case_since_unicode_15(char32_t value);

/// What stands for `value` in a subject of PCRE2; `value` itself unless it is too new.
char32_t regex_stand_in(char32_t value);

}  // namespace lq::text
