#pragma once
// Added tokens: texts that are found in a text before anything else is done to it, and are one
// token each. Those marked `normalized` are found in the normalized text (their own text being
// normalized too), the others in the text as it is.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/normalizer.h"
#include "common/text/piece_list.h"
#include "common/text/prefix_trie.h"
#include "common/text/subword_model.h"

namespace lq::text {

struct AddedToken {
  std::string content;
  std::uint32_t id = 0;
  bool special = false;
  bool normalized = false;
  bool single_word = false;  // only where no word goes on at either side
  bool lstrip = false;       // takes the blanks before it
  bool rstrip = false;       // takes the blanks behind it
};

/// A stretch of a text: an added token, or what stands between them.
struct Segment {
  ByteRange range;
  std::optional<std::uint32_t> id;
};

/// Thread rule: immutable.
class AddedVocabulary {
 public:
  /// `part` is the list `added_tokens`. Ids follow the reference's rule, which is not to believe
  /// the file: a text of the model's vocabulary has its id there, any other the next free one.
  /// Throws ValidationError.
  AddedVocabulary(const TokenizerPart& part, const SubwordVocabulary& model,
                  const Normalizer& normalizer);

  /// Cuts at the tokens of one of the two sorts, at each place the longest.
  std::vector<Segment> split(std::string_view text, bool normalized) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }

 private:
  struct Finder {
    PrefixTrie trie;
    std::vector<bool> begins = std::vector<bool>(256);  // whether some token begins with the byte
  };
  void add_to_finder(std::uint32_t index, std::string_view text);
  std::optional<std::uint32_t> longest_at(const Finder& finder, std::string_view text,
                                          std::size_t at, std::size_t& end) const;

  std::vector<AddedToken> tokens_;
  Finder plain_, normalized_;
};

}  // namespace lq::text
