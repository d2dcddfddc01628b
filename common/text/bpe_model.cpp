#include "common/text/bpe_model.h"

#include <algorithm>
#include <fmt/format.h>
#include <queue>
#include <utility>

#include "common/text/merge_list.h"
#include "common/text/pair_index.h"
#include "common/text/tokenizer_files.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

struct MergeRule {
  std::uint32_t rank, id;
};
using MergeRules = PairIndex<MergeRule>;

/// For few symbols: looks at all of them for every merge.
void merge_few(const MergeRules& rules, Ids& symbols) {
  std::vector<const MergeRule*> here;  // what joins symbol i with the next
  for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
    here.push_back(rules.find(symbols[i], symbols[i + 1]));
  }
  const auto after = [](const MergeRule* rule) {
    return rule == nullptr ? ~std::uint32_t{0} : rule->rank;
  };
  while (!here.empty()) {
    const auto best = std::ranges::min_element(here, {}, after);
    if (*best == nullptr) return;
    const auto i = best - here.begin();
    const auto at = static_cast<std::size_t>(i);
    symbols[at] = (*best)->id;
    symbols.erase(symbols.begin() + i + 1);
    here.erase(best);
    if (at > 0) here[at - 1] = rules.find(symbols[at - 1], symbols[at]);
    if (at < here.size()) here[at] = rules.find(symbols[at], symbols[at + 1]);
  }
}

/// For many: a queue of what may be joined, and links between the symbols that are left.
class ManyMerges {
 public:
  ManyMerges(const MergeRules& rules, Ids& symbols)
      : rules_(rules), symbols_(symbols), links_(symbols.size()) {}

  void run() {
    const std::size_t n = symbols_.size();
    for (std::size_t i = 0; i < n; ++i)
      links_[i] = {i == 0 ? kEnd : i - 1, i + 1 == n ? kEnd : i + 1};
    for (std::size_t i = 0; i + 1 < n; ++i) propose(i);
    while (!queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      if (still_stands(best)) join(best);
    }
    Ids left;
    for (std::size_t i = 0; i != kEnd; i = links_[i].next) left.push_back(symbols_[i]);
    symbols_ = std::move(left);
  }

 private:
  static constexpr std::size_t kEnd = ~std::size_t{0};
  static constexpr std::uint32_t kGone = ~std::uint32_t{0};
  struct Link {
    std::size_t previous, next;
  };
  struct Candidate {
    std::size_t at;
    std::uint32_t left, right;  // what stood there
    MergeRule rule;
    bool operator<(const Candidate& other) const {  // the top of the queue is the greatest
      return std::pair(rule.rank, at) > std::pair(other.rule.rank, other.at);
    }
  };

  void propose(std::size_t at) {
    const std::uint32_t left = symbols_[at], right = symbols_[links_[at].next];
    if (const MergeRule* rule = rules_.find(left, right)) queue_.push({at, left, right, *rule});
  }
  bool still_stands(const Candidate& candidate) const {
    const std::size_t next = links_[candidate.at].next;
    return symbols_[candidate.at] == candidate.left && next != kEnd &&
           symbols_[next] == candidate.right;
  }
  void join(const Candidate& candidate) {
    const std::size_t at = candidate.at, right = links_[at].next;
    symbols_[at] = candidate.rule.id;
    symbols_[right] = kGone;
    links_[at].next = links_[right].next;
    if (links_[at].next != kEnd) {
      links_[links_[at].next].previous = at;
      propose(at);
    }
    if (links_[at].previous != kEnd) propose(links_[at].previous);
  }

  const MergeRules& rules_;
  Ids& symbols_;
  std::vector<Link> links_;
  std::priority_queue<Candidate> queue_;
};

class BpeModel : public SubwordModel {
 public:
  BpeModel(const TokenizerPart& part, SubwordVocabulary known)
      : SubwordModel(std::move(known)),
        ignore_merges_(part.flag("ignore_merges", false)),
        byte_fallback_(part.flag("byte_fallback", false)),
        fuse_unknown_(part.flag("fuse_unk", false)),
        prefix_(part.text("continuing_subword_prefix", "")),
        suffix_(part.text("end_of_word_suffix", "")),
        // Where it is not in the vocabulary it is one that is never needed.
        unknown_(vocabulary().find(part.text("unk_token", ""))),
        byte_ids_(byte_token_ids(vocabulary())) {
    const json& dropout = member(part.value(), "dropout");
    if (!dropout.is_null() && dropout != 0) part.refuse("its model has dropout, which is random");
    const bool every_byte =
        std::ranges::all_of(byte_ids_, [](const auto& id) { return id.has_value(); });
    may_cut_ = byte_fallback_ && every_byte && prefix_.empty() && suffix_.empty();
    read_merges(part);
  }

  void tokenize(std::string_view piece, WordCache& cache, Ids& ids) const override {
    if (ignore_merges_) {
      if (const auto whole = vocabulary().find(piece)) return ids.push_back(*whole);
    }
    if (!may_cut_ || piece.size() <= WordCache::kLongestWord) return append_part(piece, cache, ids);
    for (std::size_t begin = 0; begin < piece.size();) {
      const std::size_t end = end_of_part(piece, begin);
      append_part(piece.substr(begin, end - begin), cache, ids);
      begin = end;
    }
  }

 private:
  static constexpr std::size_t kFewSymbols = 32;

  void read_merges(const TokenizerPart& part) {
    const json& list = merges_of(part.value(), part.file());
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].is_string() && list[i].get_ref<const std::string&>().starts_with("#version")) {
        continue;
      }
      const Merge merge = parse_merge(list[i], i, part.file());
      if (merge.right.size() < prefix_.size()) reject_merge(i, part.file());
      const auto left = vocabulary().find(merge.left), right = vocabulary().find(merge.right);
      const auto made = vocabulary().find(merge.left + merge.right.substr(prefix_.size()));
      if (!left || !right || !made) {
        part.reject(fmt::format(
            "merge number {} ('{}' and '{}') is of tokens that are not in the vocabulary", i,
            merge.left, merge.right));
      }
      rules_.at(*left, *right) = {rank++, *made};
      note_joint(merge, *left, *right);
    }
  }

  /// Two characters that no merge joins are never in one token, so that text may be cut between
  /// them: that turns a text of any length into words, which repeat.
  void note_joint(const Merge& merge, std::uint32_t left, std::uint32_t right) {
    if (merge.left.empty() || merge.right.empty()) return;
    if (std::ranges::count(byte_ids_, left) + std::ranges::count(byte_ids_, right) > 0) {
      may_cut_ = false;
    }
    joints_.at(code_point_before(merge.left, merge.left.size()).value,
               code_point_at(merge.right, 0).value) = true;
  }

  std::size_t end_of_part(std::string_view piece, std::size_t begin) const {
    CodePoint last = code_point_at(piece, begin);
    std::size_t end = begin + last.n_bytes;
    while (end < piece.size()) {
      const CodePoint next = code_point_at(piece, end);
      if (joints_.find(last.value, next.value) == nullptr) break;
      end += next.n_bytes;
      last = next;
    }
    return end;
  }

  void append_part(std::string_view part, WordCache& cache, Ids& ids) const {
    if (const auto known = cache.find(part)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
    Ids symbols = symbols_of(part);
    if (symbols.size() <= kFewSymbols) {
      merge_few(rules_, symbols);
    } else {
      ManyMerges(rules_, symbols).run();
    }
    cache.insert(part, symbols);
    ids.insert(ids.end(), symbols.begin(), symbols.end());
  }

  /// The tokens of the characters. An unknown one is kept back until a known one comes, because a
  /// row of them may be one token; bytes in between pass it by, as in the reference.
  Ids symbols_of(std::string_view part) const {
    Ids symbols;
    symbols.reserve(part.size());
    bool unknown_waits = false;
    std::string decorated;
    for (std::size_t at = 0; at < part.size();) {
      const std::size_t n_bytes = code_point_at(part, at).n_bytes;
      std::string_view character = part.substr(at, n_bytes);
      const bool first = at == 0, last = at + n_bytes == part.size();
      at += n_bytes;
      if ((!first && !prefix_.empty()) || (last && !suffix_.empty())) {
        decorated = (first ? "" : prefix_) + std::string(character) + (last ? suffix_ : "");
        character = decorated;
      }
      if (const auto id = vocabulary().find(character)) {
        if (unknown_waits) symbols.push_back(*unknown_);
        unknown_waits = false;
        symbols.push_back(*id);
      } else if (!byte_fallback_ || !append_byte_tokens(byte_ids_, character, symbols)) {
        if (!unknown_) continue;
        if (unknown_waits && !fuse_unknown_) symbols.push_back(*unknown_);
        unknown_waits = true;
      }
    }
    if (unknown_waits) symbols.push_back(*unknown_);
    return symbols;
  }

  bool ignore_merges_, byte_fallback_, fuse_unknown_;
  std::string prefix_, suffix_;
  std::optional<std::uint32_t> unknown_;
  std::vector<std::optional<std::uint32_t>> byte_ids_;
  MergeRules rules_;
  PairIndex<bool> joints_;  // last character of a left side, first of a right side
  bool may_cut_ = false;
};

}  // namespace

std::unique_ptr<const SubwordModel> make_bpe_model(const TokenizerPart& part) {
  return std::make_unique<const BpeModel>(part, SubwordVocabulary::from_map(part));
}

}  // namespace lq::text
