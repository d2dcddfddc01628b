#include "common/text/word_models.h"

#include <fmt/format.h>
#include <utility>

#include "common/text/tokenizer_files.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

std::uint32_t unknown_of(const TokenizerPart& part, const SubwordVocabulary& vocabulary) {
  const std::string text = part.text("unk_token");
  const auto id = vocabulary.find(text);
  if (!id) part.reject(fmt::format("its unk_token '{}' is not in the vocabulary", text));
  return *id;
}

class WordPieceModel : public SubwordModel {
 public:
  WordPieceModel(const TokenizerPart& part, SubwordVocabulary known)
      : SubwordModel(std::move(known)),
        unknown_(unknown_of(part, vocabulary())),
        prefix_(part.text("continuing_subword_prefix", "##")) {
    const json& most = member(part.value(), "max_input_chars_per_word");
    if (!most.is_null() && !most.is_number_unsigned()) {
      part.reject("its max_input_chars_per_word is not a number");
    }
    if (!most.is_null()) most_characters_ = most.get<std::size_t>();
  }

  void tokenize(std::string_view piece, WordCache&, Ids& ids) const override {
    std::vector<std::size_t> ends;  // of the characters
    for (std::size_t at = 0; at < piece.size();) {
      at += code_point_at(piece, at).n_bytes;
      ends.push_back(at);
    }
    Ids found;
    std::size_t begin = 0;
    std::size_t n_done = 0;
    while (ends.size() <= most_characters_ && begin < piece.size()) {
      std::size_t end = ends.size();
      std::optional<std::uint32_t> id;
      for (; end > n_done && !id; --end) {
        const std::string text =
            (begin > 0 ? prefix_ : "") + std::string(piece.substr(begin, ends[end - 1] - begin));
        id = vocabulary().find(text);
      }
      if (!id) break;
      found.push_back(*id);
      n_done = end + 1;
      begin = ends[end];
    }
    if (begin < piece.size()) found = {unknown_};
    ids.insert(ids.end(), found.begin(), found.end());
  }

 private:
  std::uint32_t unknown_;
  std::string prefix_;
  std::size_t most_characters_ = 100;
};

class WordLevelModel : public SubwordModel {
 public:
  WordLevelModel(const TokenizerPart& part, SubwordVocabulary known)
      : SubwordModel(std::move(known)), unknown_(unknown_of(part, vocabulary())) {}

  void tokenize(std::string_view piece, WordCache&, Ids& ids) const override {
    ids.push_back(vocabulary().find(piece).value_or(unknown_));
  }

 private:
  std::uint32_t unknown_;
};

}  // namespace

std::unique_ptr<const SubwordModel> make_wordpiece_model(const TokenizerPart& part) {
  return std::make_unique<const WordPieceModel>(part, SubwordVocabulary::from_map(part));
}

std::unique_ptr<const SubwordModel> make_wordlevel_model(const TokenizerPart& part) {
  return std::make_unique<const WordLevelModel>(part, SubwordVocabulary::from_map(part));
}

}  // namespace lq::text
