#pragma once
// A regular expression of a tokenizer, compiled with PCRE2's JIT.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/piece_list.h"
#include "common/text/tokenizer_part.h"

namespace lq::text {

/// Thread rule: immutable; find_all() may be called from several threads at once.
class SplitRegex {
 public:
  /// `pattern` is Oniguruma's, as tokenizer.json has it; `part` is where it stands. Throws
  /// UnsupportedError for what PCRE2 cannot say, ValidationError for what is no expression.
  SplitRegex(std::string_view pattern, const TokenizerPart& part);
  ~SplitRegex();
  SplitRegex(SplitRegex&& other) noexcept;

  /// Appends the matches from left to right, none directly behind another one empty. Throws
  /// ValidationError when a match takes unreasonably many steps. REQUIRES: `text` is valid UTF-8.
  void find_all(std::string_view text, std::vector<ByteRange>& matches) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

/// The finder of a Split or Replace part: its "pattern" is {"String": literal} or
/// {"Regex": expression}.
MatchFinder find_pattern(const TokenizerPart& part);

/// As above, for an expression that is not in the file.
MatchFinder find_regex(std::string_view pattern, const TokenizerPart& part);

}  // namespace lq::text
