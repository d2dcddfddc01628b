#include "common/text/pretokenizer.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "common/text/byte_level.h"
#include "common/text/character_classes.h"
#include "common/text/split_regex.h"
#include "common/text/tokenizer_files.h"

namespace lq::text {
namespace {

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct BehaviorName {
  std::string_view name;
  SplitBehavior behavior;
};
constexpr std::array kBehaviors = {
    BehaviorName{"Removed", SplitBehavior::kRemoved},
    BehaviorName{"Isolated", SplitBehavior::kIsolated},
    BehaviorName{"Contiguous", SplitBehavior::kContiguous},
    BehaviorName{"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
    BehaviorName{"MergedWithNext", SplitBehavior::kMergedWithNext},
};

SplitBehavior behavior_of(const TokenizerPart& part, std::string_view absent) {
  const std::string name = part.text("behavior", absent);
  const auto row = std::ranges::find(kBehaviors, name, &BehaviorName::name);
  if (row == kBehaviors.end()) part.refuse(fmt::format("a split has the behavior '{}'", name));
  return row->behavior;
}

/// A step that cuts and changes nothing.
Pretokenizer cut(SplitBehavior behavior, MatchFinder find, bool invert = false) {
  return
      [=, find = std::move(find)](PieceList& list) { split_pieces(list, behavior, invert, find); };
}

Pretokenizer make_split(const TokenizerPart& part) {
  return cut(behavior_of(part, "Isolated"), find_pattern(part), part.flag("invert", false));
}

/// Writes `prefix` before each piece that does not begin with it.
void add_prefix(PieceList& list, std::string_view prefix, bool only_at_text_start) {
  const bool at_start = list.at_text_start;
  std::size_t n_left = only_at_text_start
                           ? (at_start && !list.pieces.empty() && list.pieces.front().begin == 0)
                           : list.pieces.size();
  if (n_left == 0) return;
  rewrite_pieces(list, [&](std::string_view piece, std::string& out) {
    if (n_left > 0 && !piece.starts_with(prefix)) out += prefix;
    if (n_left > 0) --n_left;
    out += piece;
  });
}

Pretokenizer make_byte_level(const TokenizerPart& part) {
  const bool prefix = part.flag("add_prefix_space", true);
  const MatchFinder find = part.flag("use_regex", true) ? find_regex(kGpt2, part) : MatchFinder();
  return [=](PieceList& list) {
    if (prefix) add_prefix(list, " ", false);
    if (find) split_pieces(list, SplitBehavior::kIsolated, false, find);
    rewrite_pieces(list, append_byte_characters);
  };
}

MatchFinder find_literal(std::string wanted) {
  return [wanted = std::move(wanted)](std::string_view piece, std::vector<ByteRange>& matches) {
    for (std::size_t at = piece.find(wanted); at != piece.npos;
         at = piece.find(wanted, at + wanted.size())) {
      matches.push_back({at, at + wanted.size()});
    }
  };
}

Pretokenizer make_metaspace(const TokenizerPart& part) {
  const std::string mark = part.character("replacement", "\u2581");
  const bool adds = part.flag("add_prefix_space", true);
  const std::string scheme = part.text("prepend_scheme", adds ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") {
    part.refuse(fmt::format("its pre-tokenizer Metaspace has the prepend_scheme '{}'", scheme));
  }
  const bool splits = part.flag("split", true);
  return [=, find = find_literal(mark)](PieceList& list) {
    rewrite_pieces(list, [&](std::string_view piece, std::string& out) {
      for (const char c : piece) c == ' ' ? out.append(mark) : out.append(1, c);
    });
    if (scheme != "never") add_prefix(list, mark, scheme == "first");
    if (splits) split_pieces(list, SplitBehavior::kMergedWithNext, false, find);
  };
}

Pretokenizer make_digits(const TokenizerPart& part) {
  const bool single = part.flag("individual_digits", false);
  return cut(single ? SplitBehavior::kIsolated : SplitBehavior::kContiguous,
             find_characters(is_numeric));
}

Pretokenizer make_punctuation(const TokenizerPart& part) {
  return cut(behavior_of(part, "Isolated"), find_characters(is_punctuation));
}

Pretokenizer make_whitespace(const TokenizerPart&) {
  // Words, or what is neither word nor blank; joiners belong to words here.
  return [words = cut(SplitBehavior::kContiguous, find_characters(is_word)),
          blanks = cut(SplitBehavior::kRemoved, find_characters(is_whitespace))](PieceList& list) {
    blanks(list);
    words(list);
  };
}

Pretokenizer make_whitespace_split(const TokenizerPart&) {
  return cut(SplitBehavior::kRemoved, find_characters(is_whitespace));
}

Pretokenizer make_bert(const TokenizerPart&) {
  return [blanks = cut(SplitBehavior::kRemoved, find_characters(is_whitespace)),
          marks = cut(SplitBehavior::kIsolated, find_characters(is_punctuation))](PieceList& list) {
    blanks(list);
    marks(list);
  };
}

Pretokenizer make_delimiter_split(const TokenizerPart& part) {
  return cut(SplitBehavior::kRemoved, find_literal(part.character("delimiter", "")));
}

Pretokenizer make_sequence(const TokenizerPart& part) {
  std::vector<Pretokenizer> steps;
  for (const TokenizerPart& one : part.parts("pretokenizers")) {
    steps.push_back(make_pretokenizer(one));
  }
  return [steps = std::move(steps)](PieceList& list) {
    for (const Pretokenizer& step : steps) step(list);
  };
}

struct Kind {
  std::string_view type;
  Pretokenizer (*make)(const TokenizerPart& part);
};

constexpr std::array kKinds = {
    Kind{"Sequence", make_sequence},     Kind{"ByteLevel", make_byte_level},
    Kind{"Split", make_split},           Kind{"Metaspace", make_metaspace},
    Kind{"Digits", make_digits},         Kind{"Punctuation", make_punctuation},
    Kind{"Whitespace", make_whitespace}, Kind{"WhitespaceSplit", make_whitespace_split},
    Kind{"BertPreTokenizer", make_bert}, Kind{"CharDelimiterSplit", make_delimiter_split},
};

}  // namespace

Pretokenizer make_pretokenizer(const TokenizerPart& part) {
  if (part.is_null()) return [](PieceList&) {};
  const auto kind = std::ranges::find(kKinds, part.type(), &Kind::type);
  if (kind == kKinds.end()) part.refuse_type();
  return kind->make(part);
}

}  // namespace lq::text
