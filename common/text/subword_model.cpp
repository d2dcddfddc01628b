#include "common/text/subword_model.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "common/text/bpe_model.h"
#include "common/text/tokenizer_files.h"
#include "common/text/unigram_model.h"
#include "common/text/word_models.h"

namespace lq::text {
namespace {

using nlohmann::json;

constexpr std::int64_t kMostIds = std::int64_t{1} << 24;  // the largest known have 2^18

struct Kind {
  std::string_view type;
  std::unique_ptr<const SubwordModel> (*make)(const TokenizerPart& part);
};

constexpr std::array kKinds = {
    Kind{"BPE", make_bpe_model},
    Kind{"Unigram", make_unigram_model},
    Kind{"WordPiece", make_wordpiece_model},
    Kind{"WordLevel", make_wordlevel_model},
};

/// Files of the first versions do not state the type.
std::string type_of(const TokenizerPart& part) {
  if (!member(part.value(), "type").is_null()) return part.type();
  if (member(part.value(), "merges").is_array()) return "BPE";
  if (member(part.value(), "vocab").is_array()) return "Unigram";
  return part.type();
}

}  // namespace

SubwordVocabulary SubwordVocabulary::from_map(const TokenizerPart& part) {
  const json& vocab = member(part.value(), "vocab");
  if (!vocab.is_object()) part.reject("its vocabulary is not a map from token to id");
  SubwordVocabulary vocabulary;
  for (const auto& [text, id] : vocab.items()) {
    if (!id.is_number_integer() || id < 0 || id > kMostIds) {
      part.reject(fmt::format("token '{}' has no id", text));
    }
    vocabulary.add(text, id.get<std::uint32_t>());
  }
  return vocabulary;
}

void SubwordVocabulary::add(std::string_view text, std::uint32_t id) {
  ids_.insert(text, id);
  if (id >= texts_.size()) texts_.resize(id + 1);
  texts_[id] = text;
}

const std::string& SubwordVocabulary::text(std::uint32_t id) const {
  static const std::string kNone;
  return id < texts_.size() ? texts_[id] : kNone;
}

std::unique_ptr<const SubwordModel> make_subword_model(const TokenizerPart& part) {
  if (!part.value().is_object()) part.reject("it has no model");
  const auto kind = std::ranges::find(kKinds, type_of(part), &Kind::type);
  if (kind == kKinds.end()) part.refuse_type();
  return kind->make(part);
}

std::string byte_token(unsigned char byte) { return fmt::format("<0x{:02X}>", byte); }

std::vector<std::optional<std::uint32_t>> byte_token_ids(const SubwordVocabulary& vocabulary) {
  std::vector<std::optional<std::uint32_t>> ids;
  for (unsigned byte = 0; byte < 256; ++byte) {
    ids.push_back(vocabulary.find(byte_token(static_cast<unsigned char>(byte))));
  }
  return ids;
}

bool append_byte_tokens(const std::vector<std::optional<std::uint32_t>>& byte_ids,
                        std::string_view text, std::vector<std::uint32_t>& ids) {
  const auto id_of = [&](char c) { return byte_ids[static_cast<unsigned char>(c)]; };
  if (!std::ranges::all_of(text, [&](char c) { return id_of(c).has_value(); })) return false;
  for (const char c : text) ids.push_back(*id_of(c));
  return true;
}

}  // namespace lq::text
