#include "common/text/vocabulary.h"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/json_file.h"
#include "common/text/chat_templates.h"
#include "common/text/sentencepiece_model.h"
#include "common/text/special_tokens.h"
#include "common/text/token_table.h"
#include "common/text/tokenizer_files.h"
#include "common/text/tokenizer_json.h"

namespace lq::text {
namespace {

using nlohmann::json;

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// Whether every piece is in tokenizer.json with the same id.
bool same_pieces(const SentencePieceModel& model, const json& tokenizer) {
  const json& vocab = member(member(tokenizer, "model"), "vocab");
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const auto at = vocab.find(model.pieces[i].text);
    if (at == vocab.end() || *at != i) return false;
  }
  return true;
}

/// The entries that tokenizer_config.json adds: {"32000": {"content": "<|im_end|>", "special":
/// true}}.
void read_decoder_entries(const json& config, TokenTable& table) {
  const json& entries = member(config, "added_tokens_decoder");
  if (!entries.is_object()) return;
  for (const auto& [key, entry] : entries.items()) {
    std::int64_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    const std::string text = token_content(entry);
    const json& special = member(entry, "special");
    // An id beyond the embeddings can never be used.
    if (error != std::errc() || end != key.data() + key.size() || text.empty() ||
        !table.holds(id)) {
      continue;
    }
    table.add(id, text, special.is_boolean() && special.get<bool>());
  }
}

void read_sentencepiece_tokens(const SentencePieceModel& model, const TokenizerFiles& files,
                               const json& tokenizer, const std::filesystem::path& tokenizer_file,
                               TokenTable& table, Vocabulary& vocabulary) {
  vocabulary.pre = "default";
  vocabulary.add_space_prefix = model.add_dummy_prefix;
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const SentencePiece& piece = model.pieces[i];
    table.set(static_cast<std::int64_t>(i), piece.text, piece.type, piece.score);
  }
  if (files.added.is_object()) {
    for (const auto& [text, id] : files.added.items()) {
      if (id.is_number_integer() && table.holds(id.get<std::int64_t>())) {
        table.add(id.get<std::int64_t>(), text, false);
      }
    }
  }
  read_added_tokens(tokenizer, tokenizer_file, true, table);
  read_decoder_entries(files.config, table);
}

[[noreturn]] void refuse_model_file(const std::filesystem::path& file, const std::string& why) {
  throw base::UnsupportedError(fmt::format("cannot use the tokenizer {}", base::shown(file)), why,
                               "add the tokenizer.json of this model to the directory");
}

}  // namespace

void report_missing_tokenizer(const std::filesystem::path& dir) {
  std::string other;
  for (const std::string_view name : {"tekken.json", "vocab.json", "vocab.txt"}) {
    if (other.empty() && is_file(dir / name)) {
      other = fmt::format("; {} alone does not say how text is split", name);
    }
  }
  throw base::ModelNotFoundError(
      fmt::format("cannot find the tokenizer of {}", base::shown(dir)),
      fmt::format("neither tokenizer.json nor tokenizer.model is in this directory{}", other),
      "download tokenizer.json (or tokenizer.model) from the model's repository");
}

Vocabulary read_vocabulary(const std::filesystem::path& dir, std::int64_t vocab_size,
                           const std::map<std::string, std::uint32_t>& config_ids) {
  const std::filesystem::path json_file = dir / "tokenizer.json",
                              model_file = dir / "tokenizer.model";
  const bool has_json = is_file(json_file);
  if (!has_json && !is_file(model_file)) report_missing_tokenizer(dir);
  json tokenizer = has_json ? io::read_json_file(json_file) : json();
  const TokenizerFiles files = read_tokenizer_files(dir);
  const std::optional<SentencePieceModel> model = read_sentencepiece_file(model_file);

  Vocabulary vocabulary;
  vocabulary.kind =
      has_json ? tokenizer_kind(tokenizer, json_file) : VocabularyKind::kSentencePieceBpe;
  const bool from_pieces = model && model->is_bpe &&
                           vocabulary.kind == VocabularyKind::kSentencePieceBpe &&
                           (!has_json || same_pieces(*model, tokenizer));
  if (!from_pieces && !has_json) {
    refuse_model_file(model_file, model ? "it is a SentencePiece model, but not of kind BPE"
                                        : "it is not a SentencePiece model");
  }
  vocabulary.source = from_pieces ? model_file : json_file;
  TokenTable table(vocab_size, vocabulary.kind == VocabularyKind::kSentencePieceBpe,
                   vocabulary.source);
  if (from_pieces) {
    read_sentencepiece_tokens(*model, files, tokenizer, json_file, table, vocabulary);
  } else {
    read_tokenizer_json(tokenizer, json_file, table, vocabulary);
  }
  find_special_tokens(files, tokenizer, config_ids, table, vocabulary);
  table.move_to(vocabulary);
  ChatTemplates templates = read_chat_templates(dir, files.config);
  vocabulary.chat_template = std::move(templates.main);
  vocabulary.named_templates = std::move(templates.named);
  return vocabulary;
}

}  // namespace lq::text
