#include "common/text/added_vocabulary.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>
#include <utility>

#include "common/text/character_classes.h"
#include "common/text/tokenizer_files.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using nlohmann::json;

AddedToken read_token(const TokenizerPart& part) {
  AddedToken token;
  token.content = part.text("content");
  token.special = part.flag("special", false);
  token.normalized = part.flag("normalized", !token.special);
  token.single_word = part.flag("single_word", false);
  token.lstrip = part.flag("lstrip", false);
  token.rstrip = part.flag("rstrip", false);
  return token;
}

std::size_t without_blanks_at_end(std::string_view text, std::size_t end) {
  while (end > 0) {
    const CodePoint last = code_point_before(text, end);
    if (!is_whitespace(last.value)) break;
    end -= last.n_bytes;
  }
  return end;
}

std::size_t behind_blanks(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const CodePoint next = code_point_at(text, at);
    if (!is_whitespace(next.value)) break;
    at += next.n_bytes;
  }
  return at;
}

bool stands_alone(std::string_view text, ByteRange match) {
  return (match.begin == 0 || !is_word(code_point_before(text, match.begin).value)) &&
         (match.end == text.size() || !is_word(code_point_at(text, match.end).value));
}

}  // namespace

AddedVocabulary::AddedVocabulary(const TokenizerPart& part, const SubwordVocabulary& model,
                                 const Normalizer& normalizer) {
  std::unordered_set<std::string> seen;
  auto next_id = static_cast<std::uint32_t>(model.size());
  for (const json& entry : part.value()) {
    AddedToken token = read_token(TokenizerPart(entry, part.file(), "added token"));
    if (token.content.empty() || !seen.insert(token.content).second) continue;
    const auto known = model.find(token.content);
    token.id = known.value_or(next_id);
    next_id = std::max(next_id, token.id + 1);
    tokens_.push_back(std::move(token));
  }
  // Where two normalized texts are the same, a special token wins.
  for (const bool special : {true, false}) {
    for (std::uint32_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].special != special) continue;
      std::string text = tokens_[i].content;
      if (tokens_[i].normalized) normalizer(text);
      add_to_finder(i, text);
    }
  }
}

void AddedVocabulary::add_to_finder(std::uint32_t index, std::string_view text) {
  if (text.empty()) return;
  Finder& finder = tokens_[index].normalized ? normalized_ : plain_;
  finder.trie.insert(text, index, false);
  finder.begins[static_cast<unsigned char>(text.front())] = true;
}

std::optional<std::uint32_t> AddedVocabulary::longest_at(const Finder& finder,
                                                         std::string_view text, std::size_t at,
                                                         std::size_t& end) const {
  if (!finder.begins[static_cast<unsigned char>(text[at])]) return std::nullopt;
  std::optional<std::uint32_t> longest;
  std::uint32_t node = PrefixTrie::kRoot;
  for (std::size_t i = at; i < text.size(); ++i) {
    node = finder.trie.next(node, text[i]);
    if (node == PrefixTrie::kNone) break;
    if (finder.trie.value(node) == PrefixTrie::kNone) continue;
    longest = finder.trie.value(node);
    end = i + 1;
  }
  return longest;
}

std::vector<Segment> AddedVocabulary::split(std::string_view text, bool normalized) const {
  const Finder& finder = normalized ? normalized_ : plain_;
  std::vector<Segment> segments;
  std::size_t done = 0;  // where the last segment ends
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    const auto found = longest_at(finder, text, at, end);
    ByteRange match{at, end};
    at = end;
    if (!found) continue;
    const AddedToken& token = tokens_[*found];
    if (token.single_word && !stands_alone(text, match)) continue;
    if (token.lstrip) match.begin = std::max(without_blanks_at_end(text, match.begin), done);
    if (token.rstrip) match.end = behind_blanks(text, match.end);
    if (done < match.begin) segments.push_back({{done, match.begin}, std::nullopt});
    segments.push_back({match, token.id});
    done = match.end;
  }
  if (done < text.size()) segments.push_back({{done, text.size()}, std::nullopt});
  return segments;
}

}  // namespace lq::text
