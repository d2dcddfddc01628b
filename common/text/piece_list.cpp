#include "common/text/piece_list.h"

#include <algorithm>
#include <utility>

#include "common/text/utf8.h"

namespace lq::text {
namespace {

struct Stretch {
  ByteRange range;
  bool is_match;
};

/// The matches and what stands between them, in order.
void stretches_of(std::string_view piece, const std::vector<ByteRange>& matches, bool invert,
                  std::vector<Stretch>& stretches) {
  stretches.clear();
  std::size_t at = 0;
  for (const ByteRange& match : matches) {
    if (at != match.begin) stretches.push_back({{at, match.begin}, invert});
    stretches.push_back({match, !invert});
    at = match.end;
  }
  if (at != piece.size()) stretches.push_back({{at, piece.size()}, invert});
}

/// Stretches joined with their neighbours as `behavior` says; every one left is a piece.
void join(std::vector<Stretch>& stretches, SplitBehavior behavior) {
  const bool from_back = behavior == SplitBehavior::kMergedWithNext;
  if (from_back) std::ranges::reverse(stretches);
  std::size_t n_kept = 0;
  bool previous = false;
  for (const Stretch& stretch : stretches) {
    const bool joins = behavior == SplitBehavior::kContiguous ? stretch.is_match == previous
                                                              : stretch.is_match && !previous;
    previous = stretch.is_match;
    if (!joins || n_kept == 0) {
      stretches[n_kept++] = stretch;
    } else if (from_back) {
      stretches[n_kept - 1].range.begin = stretch.range.begin;
    } else {
      stretches[n_kept - 1].range.end = stretch.range.end;
    }
  }
  stretches.resize(n_kept);
  if (from_back) std::ranges::reverse(stretches);
}

}  // namespace

void split_pieces(PieceList& list, SplitBehavior behavior, bool invert, const MatchFinder& find) {
  std::vector<ByteRange> pieces, matches;
  std::vector<Stretch> stretches;
  pieces.reserve(list.pieces.size());
  for (const ByteRange& piece : list.pieces) {
    matches.clear();
    find(list.view(piece), matches);
    stretches_of(list.view(piece), matches, invert, stretches);
    const bool removes = behavior == SplitBehavior::kRemoved;
    if (!removes && behavior != SplitBehavior::kIsolated) join(stretches, behavior);
    for (const Stretch& stretch : stretches) {
      if (stretch.range.begin == stretch.range.end || (removes && stretch.is_match)) continue;
      pieces.push_back({piece.begin + stretch.range.begin, piece.begin + stretch.range.end});
    }
  }
  list.pieces = std::move(pieces);
}

MatchFinder find_characters(std::function<bool(char32_t)> in_class) {
  return [in_class = std::move(in_class)](std::string_view piece, std::vector<ByteRange>& matches) {
    for (std::size_t at = 0; at < piece.size();) {
      const CodePoint point = code_point_at(piece, at);
      if (in_class(point.value)) matches.push_back({at, at + point.n_bytes});
      at += point.n_bytes;
    }
  };
}

void rewrite_pieces(PieceList& list,
                    const std::function<void(std::string_view piece, std::string& out)>& write) {
  std::string text;
  text.reserve(list.text.size() + list.text.size() / 2);
  list.at_text_start = list.at_text_start && !list.pieces.empty() && list.pieces.front().begin == 0;
  for (ByteRange& piece : list.pieces) {
    const std::size_t begin = text.size();
    write(list.view(piece), text);
    piece = {begin, text.size()};
  }
  list.text = std::move(text);
}

}  // namespace lq::text
