#pragma once
// tokenizer.json states its regular expressions in the dialect of Oniguruma, the library that the
// reference uses. This writes them in PCRE2's, so that they match the same:
//
//   \s \w \h          classes of another extent          POSIX classes   Unicode's properties
//   \p{Han}           the script, not its extensions     [a&&b]          a lookahead and a class
//   x{1,3}+           repeated, not possessive           (?m:.)          (?s:.)
//   {,n} \uHHHH \v    spelled otherwise

#include <string>
#include <string_view>

#include "common/text/tokenizer_part.h"

namespace lq::text {

/// Throws UnsupportedError, through `part`, for what cannot be said in PCRE2.
std::string pcre2_pattern(std::string_view oniguruma, const TokenizerPart& part);

}  // namespace lq::text
