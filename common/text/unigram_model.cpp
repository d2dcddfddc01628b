#include "common/text/unigram_model.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/text/prefix_trie.h"
#include "common/text/tokenizer_files.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

constexpr double kUnknownPenalty = 10;

SubwordVocabulary read_vocabulary_list(const TokenizerPart& part, std::vector<double>& scores) {
  const json& list = member(part.value(), "vocab");
  if (!list.is_array()) part.reject("its vocabulary is not a list of tokens and scores");
  SubwordVocabulary vocabulary;
  for (const json& entry : list) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number()) {
      part.reject(fmt::format("entry number {} of its vocabulary is not a token with a score",
                              scores.size()));
    }
    vocabulary.add(entry[0].get_ref<const std::string&>(),
                   static_cast<std::uint32_t>(scores.size()));
    scores.push_back(entry[1].get<double>());
  }
  return vocabulary;
}

class UnigramModel : public SubwordModel {
 public:
  UnigramModel(const TokenizerPart& part, SubwordVocabulary known, std::vector<double> scores)
      : SubwordModel(std::move(known)),
        file_(part.file()),
        scores_(std::move(scores)),
        byte_fallback_(part.flag("byte_fallback", false)),
        byte_ids_(byte_token_ids(vocabulary())) {
    for (std::uint32_t id = 0; id < scores_.size(); ++id)
      trie_.insert(vocabulary().text(id), id, true);
    const json& unknown = member(part.value(), "unk_id");
    if (!unknown.is_null()) {
      if (!unknown.is_number_integer() || unknown < 0 || unknown >= scores_.size()) {
        part.reject("its unk_id is not in the vocabulary");
      }
      unknown_ = unknown.get<std::uint32_t>();
    }
    const auto least = std::ranges::min_element(scores_);
    unknown_score_ = (least == scores_.end() ? std::numeric_limits<double>::infinity() : *least) -
                     kUnknownPenalty;
  }

  void tokenize(std::string_view piece, WordCache& cache, Ids& ids) const override {
    if (const auto known = cache.find(piece)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
    Ids found;
    for (const std::string_view token : best_cut(piece)) append_token(token, found);
    cache.insert(piece, found);
    ids.insert(ids.end(), found.begin(), found.end());
  }

 private:
  /// The best way from the beginning to a place in the piece: its last token and its score.
  struct Place {
    double score = 0;
    std::size_t from = kNowhere;
    std::uint32_t id = 0;
  };
  static constexpr std::size_t kNowhere = ~std::size_t{0};

  static void offer(Place& place, double score, std::size_t from, std::uint32_t id) {
    if (place.from == kNowhere || score > place.score) place = {score, from, id};
  }

  std::uint32_t unknown_id() const {
    if (!unknown_) {
      throw base::ValidationError(
          fmt::format("cannot cut the text into tokens of {}", base::shown(file_)),
          "a character is not in its vocabulary, which has no unknown token (unk_id)",
          "download the tokenizer files again, or leave such characters out");
    }
    return *unknown_;
  }

  std::vector<Place> best_places(std::string_view piece) const {
    std::vector<Place> places(piece.size() + 1);
    for (std::size_t at = 0; at < piece.size();) {
      const std::size_t n_bytes = code_point_at(piece, at).n_bytes;
      const double score = places[at].score;
      bool has_character = false;
      std::uint32_t node = PrefixTrie::kRoot;
      for (std::size_t end = at; end < piece.size();) {
        node = trie_.next(node, piece[end++]);
        if (node == PrefixTrie::kNone) break;
        const std::uint32_t id = trie_.value(node);
        if (id == PrefixTrie::kNone) continue;
        offer(places[end], score + scores_[id], at, id);
        has_character = has_character || end - at == n_bytes;
      }
      if (!has_character) offer(places[at + n_bytes], score + unknown_score_, at, unknown_id());
      at += n_bytes;
    }
    return places;
  }

  /// The tokens of the best way; unknown neighbours are one.
  std::vector<std::string_view> best_cut(std::string_view piece) const {
    const std::vector<Place> places = best_places(piece);
    std::vector<std::string_view> tokens;
    bool fuses = false;  // the token found last, which stands behind, is unknown
    for (std::size_t end = piece.size(); end > 0; end = places[end].from) {
      const std::size_t begin = places[end].from;
      const bool unknown = unknown_ && places[end].id == *unknown_;
      if (unknown && fuses) {
        tokens.back() = piece.substr(begin, end - begin + tokens.back().size());
      } else {
        tokens.push_back(piece.substr(begin, end - begin));
      }
      fuses = unknown;
    }
    std::ranges::reverse(tokens);
    return tokens;
  }

  void append_token(std::string_view token, Ids& ids) const {
    if (const auto id = vocabulary().find(token)) return ids.push_back(*id);
    if (byte_fallback_ && append_byte_tokens(byte_ids_, token, ids)) return;
    ids.push_back(unknown_id());
  }

  std::filesystem::path file_;
  std::vector<double> scores_;
  bool byte_fallback_;
  std::vector<std::optional<std::uint32_t>> byte_ids_;
  PrefixTrie trie_;
  std::optional<std::uint32_t> unknown_;
  double unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<const SubwordModel> make_unigram_model(const TokenizerPart& part) {
  std::vector<double> scores;
  SubwordVocabulary vocabulary = read_vocabulary_list(part, scores);
  return std::make_unique<const UnigramModel>(part, std::move(vocabulary), std::move(scores));
}

}  // namespace lq::text
