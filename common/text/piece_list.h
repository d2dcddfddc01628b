#pragma once
// A text that is being cut into the pieces that the model sees: one string and the ranges of it
// that are pieces. Steps either cut pieces further or write them anew.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lq::text {

struct ByteRange {
  std::size_t begin, end;
};

struct PieceList {
  std::string text;
  std::vector<ByteRange> pieces;  // ascending, none of them empty
  bool at_text_start = false;     // byte 0 is the beginning of the whole text

  std::string_view view(ByteRange piece) const {
    return std::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }
};

/// What becomes of the stretches that match.
enum class SplitBehavior {
  kRemoved,             // they are dropped
  kIsolated,            // each is a piece
  kContiguous,          // a run of them is a piece
  kMergedWithPrevious,  // each ends the piece before it
  kMergedWithNext       // each begins the piece after it
};

/// Appends to `matches`, which is empty, the ascending matches in a piece.
using MatchFinder = std::function<void(std::string_view piece, std::vector<ByteRange>& matches)>;

/// Cuts every piece where `find` says. `invert`: at what does not match.
void split_pieces(PieceList& list, SplitBehavior behavior, bool invert, const MatchFinder& find);

/// The runs of single code points of a class, as matches.
MatchFinder find_characters(std::function<bool(char32_t)> in_class);

/// Replaces every piece by what `write` appends for it. A piece may become longer, not empty.
void rewrite_pieces(PieceList& list,
                    const std::function<void(std::string_view piece, std::string& out)>& write);

}  // namespace lq::text
