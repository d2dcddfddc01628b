#include "common/text/sentencepiece_tokenizer.h"

#include <algorithm>
#include <openssl/evp.h>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/text/tokenizer_files.h"
#include "common/text/tokenizer_part.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using nlohmann::json;

constexpr std::string_view kSpaceMark = "\u2581";
constexpr std::size_t kLongestMergedPiece =
    512;  // bytes; SentencePiece's own limit is 16 characters

bool is_added(const SentencePiece& piece) {
  return piece.type == TokenType::kControl || piece.type == TokenType::kUserDefined ||
         piece.type == TokenType::kUnknown;
}

/// The file has scores of pieces in place of merges: a piece is made of any two others that
/// together spell it, and those of the best piece are joined first.
json merges_of(const SentencePieceModel& model) {
  struct Pair {
    float score;
    std::size_t left_characters, right_characters;
    std::uint32_t left_id, right_id;
    json merge;
  };
  std::unordered_map<std::string_view, std::uint32_t> ids;
  for (std::uint32_t id = 0; id < model.pieces.size(); ++id) ids[model.pieces[id].text] = id;
  std::vector<Pair> pairs;
  for (const SentencePiece& piece : model.pieces) {
    const std::string_view text = piece.text;
    if (is_added(piece) || text.size() > kLongestMergedPiece) continue;
    const std::size_t first = pairs.size();
    std::size_t n_characters = 0;
    for (std::size_t at = 0; at < text.size(); ++n_characters)
      at += code_point_at(text, at).n_bytes;
    std::size_t n_left = 0;
    for (std::size_t at = code_point_at(text, 0).n_bytes; at < text.size();
         at += code_point_at(text, at).n_bytes) {
      ++n_left;
      const auto left = ids.find(text.substr(0, at)), right = ids.find(text.substr(at));
      if (left == ids.end() || right == ids.end()) continue;
      pairs.push_back({piece.score, n_left, n_characters - n_left, left->second, right->second,
                       json::array({std::string(left->first), std::string(right->first)})});
    }
    std::sort(pairs.begin() + static_cast<std::ptrdiff_t>(first), pairs.end(),
              [](const Pair& a, const Pair& b) {
                return std::tie(a.left_id, a.right_id) < std::tie(b.left_id, b.right_id);
              });
  }
  std::ranges::stable_sort(pairs, [](const Pair& a, const Pair& b) {
    return std::tie(a.score, a.left_characters, a.right_characters) >
           std::tie(b.score, b.left_characters, b.right_characters);
  });
  json merges = json::array();
  for (Pair& pair : pairs) merges.push_back(std::move(pair.merge));
  return merges;
}

bool has_bytes(const SentencePieceModel& model) {
  return std::ranges::find(model.pieces, TokenType::kByte, &SentencePiece::type) !=
         model.pieces.end();
}

json model_of(const SentencePieceModel& model) {
  json unknown;
  json id_map = json::object(), list = json::array();
  const bool byte_fallback = has_bytes(model);
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    if (piece.type == TokenType::kUnknown) unknown = id;
    if (model.is_bpe) {
      id_map[piece.text] = id;
    } else {
      list.push_back({piece.text, piece.score});
    }
  }
  if (!model.is_bpe) {
    return {{"type", "Unigram"},
            {"vocab", std::move(list)},
            {"unk_id", unknown},
            {"byte_fallback", byte_fallback}};
  }
  return {{"type", "BPE"},
          {"vocab", std::move(id_map)},
          {"merges", merges_of(model)},
          {"unk_token", unknown.is_null() ? json() : json(model.pieces[unknown].text)},
          {"fuse_unk", true},
          {"byte_fallback", byte_fallback}};
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

json normalizer_of(const SentencePieceModel& model) {
  json steps = json::array();
  if (!model.precompiled_charsmap.empty()) {
    steps.push_back(
        {{"type", "Precompiled"}, {"precompiled_charsmap", base64(model.precompiled_charsmap)}});
  }
  if (model.remove_extra_whitespaces) {
    steps.push_back({{"type", "Strip"}});
    steps.push_back({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}});
  }
  if (model.is_bpe && model.add_dummy_prefix) {
    steps.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
  }
  if (model.is_bpe) {
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}});
  }
  return {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
}

json metaspace(const SentencePieceModel& model) {
  return {{"type", "Metaspace"},
          {"replacement", kSpaceMark},
          {"prepend_scheme", model.add_dummy_prefix ? "always" : "never"}};
}

/// Marks before bytes: bytes that spell the mark are no space.
json decoder_of(const SentencePieceModel& model) {
  json steps = json::array();
  if (model.is_unigram) {
    steps.push_back(metaspace(model));
  } else {
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", kSpaceMark}}}, {"content", " "}});
  }
  if (has_bytes(model)) steps.push_back({{"type", "ByteFallback"}});
  if (model.is_bpe && model.add_dummy_prefix) {
    steps.push_back({{"type", "Fuse"}});
    steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return {{"type", "Sequence"}, {"decoders", std::move(steps)}};
}

/// `name`: "bos" or "eos"; nothing unless it is asked for and there.
std::optional<SurroundingToken> special_piece(const SentencePieceModel& model, const json& config,
                                              const std::string& name, bool by_default,
                                              std::size_t usual_id) {
  const json& asked = member(config, "add_" + name + "_token");
  if (!(asked.is_boolean() ? asked.get<bool>() : by_default)) return std::nullopt;
  std::string text = token_content(member(config, name + "_token"));
  if (text.empty() && usual_id < model.pieces.size() &&
      model.pieces[usual_id].type == TokenType::kControl) {
    text = model.pieces[usual_id].text;
  }
  const auto piece = std::ranges::find(model.pieces, text, &SentencePiece::text);
  if (text.empty() || piece == model.pieces.end()) return std::nullopt;
  return SurroundingToken{text, static_cast<std::uint32_t>(piece - model.pieces.begin())};
}

}  // namespace

json sentencepiece_tokenizer(const SentencePieceModel& model,
                             const std::optional<SurroundingToken>& before,
                             const std::optional<SurroundingToken>& behind,
                             const std::filesystem::path& file) {
  json added = json::array();
  for (const SentencePiece& piece : model.pieces) {
    if (first_invalid_utf8(piece.text) || piece.text.empty()) {
      const json none;
      TokenizerPart(none, file, "model").reject("a piece of it is not UTF-8 text");
    }
    if (!is_added(piece)) continue;
    added.push_back({{"content", piece.text},
                     {"special", piece.type != TokenType::kUserDefined},
                     {"normalized", false}});
  }
  return {{"added_tokens", std::move(added)},
          {"normalizer", normalizer_of(model)},
          {"pre_tokenizer", model.is_unigram ? metaspace(model) : json()},
          {"post_processor", surrounding_template(before, behind)},
          {"decoder", decoder_of(model)},
          {"model", model_of(model)}};
}

json sentencepiece_tokenizer(const std::filesystem::path& dir) {
  const std::filesystem::path file = dir / "tokenizer.model";
  const std::optional<SentencePieceModel> model = read_sentencepiece_file(file);
  const json none;
  const TokenizerPart part(none, file, "model");
  if (!model) part.refuse("it is not a SentencePiece model");
  if (!model->is_bpe && !model->is_unigram) {
    part.refuse("it is a SentencePiece model, but neither of kind BPE nor of kind Unigram");
  }
  const json config = read_tokenizer_files(dir).config;
  return sentencepiece_tokenizer(*model, special_piece(*model, config, "bos", model->is_bpe, 1),
                                 special_piece(*model, config, "eos", false, 2), file);
}

}  // namespace lq::text
