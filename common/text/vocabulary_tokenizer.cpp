#include "common/text/vocabulary_tokenizer.h"

#include <fmt/format.h>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/text/post_processor.h"
#include "common/text/pretokenizer_names.h"
#include "common/text/sentencepiece_tokenizer.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using nlohmann::json;

// Where they stand when no file says it.
constexpr std::uint32_t kUsualBos = 1, kUsualEos = 2;

[[noreturn]] void reject(const Vocabulary& vocabulary, std::string why) {
  throw base::ValidationError(
      fmt::format("cannot use the tokenizer of {}", base::shown(vocabulary.source)), std::move(why),
      "get the file from its source again, or convert the model again");
}

void require_texts(const Vocabulary& vocabulary) {
  std::unordered_map<std::string_view, std::size_t> ids;
  ids.reserve(vocabulary.tokens.size());
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string& text = vocabulary.tokens[id];
    if (text.empty() || first_invalid_utf8(text)) {
      reject(vocabulary, fmt::format("token {} is not UTF-8 text", id));
    }
    const auto [other, is_new] = ids.emplace(text, id);
    if (is_new) continue;
    reject(vocabulary, fmt::format("tokens {} and {} have the same text '{}'", other->second, id,
                                   base::escape_controls(text)));
  }
}

/// The token `stem`, where texts have it.
std::optional<SurroundingToken> around(const Vocabulary& vocabulary, const std::string& stem,
                                       bool asked, std::optional<std::uint32_t> usual = {}) {
  if (!asked) return std::nullopt;
  const auto token = [&](std::uint32_t id) { return SurroundingToken{vocabulary.tokens[id], id}; };
  const auto stated = vocabulary.special_ids.find(stem);
  if (stated != vocabulary.special_ids.end()) return token(stated->second);
  const bool has_usual =
      usual && *usual < vocabulary.types.size() && vocabulary.types[*usual] == TokenType::kControl;
  return has_usual ? std::optional(token(*usual)) : std::nullopt;
}

json of_pieces(const Vocabulary& vocabulary) {
  SentencePieceModel model;
  model.add_dummy_prefix = vocabulary.add_space_prefix.value_or(true);
  model.remove_extra_whitespaces = false;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    model.pieces.push_back({vocabulary.tokens[id], vocabulary.scores[id], vocabulary.types[id]});
  }
  return sentencepiece_tokenizer(
      model, around(vocabulary, "bos", vocabulary.add_bos.value_or(true), kUsualBos),
      around(vocabulary, "eos", vocabulary.add_eos.value_or(false), kUsualEos), vocabulary.source);
}

json of_bytes(const Vocabulary& vocabulary) {
  std::optional<NamedPretokenizer> named = pretokenizer_named(vocabulary.pre);
  if (!named) {
    throw base::UnsupportedError(
        fmt::format("cannot use the tokenizer of {}", base::shown(vocabulary.source)),
        vocabulary.pre.empty() ? "it does not name its pre-tokenizer"
                               : fmt::format("its pre-tokenizer '{}' is none of those known here",
                                             base::escape_controls(vocabulary.pre)),
        "use a model whose tokenizer has the parts that lq knows");
  }
  json vocab = json::object(), added = json::array();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string& text = vocabulary.tokens[id];
    vocab[text] = id;
    const TokenType type = vocabulary.types[id];
    if (type != TokenType::kControl && type != TokenType::kUserDefined) continue;
    added.push_back(
        {{"content", text}, {"special", type == TokenType::kControl}, {"normalized", false}});
  }
  return {{"added_tokens", std::move(added)},
          {"normalizer", std::move(named->normalizer)},
          {"pre_tokenizer", std::move(named->pre_tokenizer)},
          {"post_processor",
           surrounding_template(
               around(vocabulary, "bos", vocabulary.add_bos.value_or(named->begins_with_bos)),
               around(vocabulary, "eos", vocabulary.add_eos.value_or(false)))},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", std::move(vocab)},
            {"merges", vocabulary.merges},
            {"ignore_merges", named->ignores_merges}}}};
}

}  // namespace

json vocabulary_tokenizer(const Vocabulary& vocabulary) {
  require_texts(vocabulary);
  return vocabulary.kind == VocabularyKind::kByteLevelBpe ? of_bytes(vocabulary)
                                                          : of_pieces(vocabulary);
}

}  // namespace lq::text
