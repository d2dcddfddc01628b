#include "common/text/tokenizer_json.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/text/merge_list.h"
#include "common/text/pretokenizer_names.h"
#include "common/text/tokenizer_files.h"

namespace lq::text {
namespace {

using nlohmann::json;

[[noreturn]] void reject(const std::filesystem::path& file, const std::string& why) {
  throw base::ValidationError(fmt::format("cannot use the tokenizer {}", base::shown(file)), why,
                              "download the tokenizer files again");
}

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
  throw base::UnsupportedError(
      fmt::format("cannot use the tokenizer {}", base::shown(file)), why,
      "use a model whose tokenizer is byte-level BPE or BPE with byte fallback");
}

/// Whether a part or one of the members of a Sequence is of `type`.
bool contains_type(const json& part, std::string_view type) {
  if (is_type(part, type)) return true;
  for (const std::string_view list : {"pretokenizers", "decoders", "normalizers"}) {
    const json& members = member(part, list);
    if (!members.is_array()) continue;
    if (std::ranges::any_of(members, [&](const json& one) { return is_type(one, type); })) {
      return true;
    }
  }
  return false;
}

/// "<0x0A>"
bool is_byte_token(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  return text.size() == 6 && text.starts_with("<0x") && text.ends_with('>') &&
         kHex.find(text[3]) != kHex.npos && kHex.find(text[4]) != kHex.npos;
}

/// A literal space would end the left part in GGUF's spelling of a merge.
std::string without_space(std::string part) {
  for (std::size_t at = part.find(' '); at != part.npos; at = part.find(' ', at)) {
    part.replace(at, 1, "\u0120");
  }
  return part;
}

/// Hundreds of thousands of texts: those that are spelled as GGUF spells them are taken out of the
/// list, which saves copying and freeing them.
std::vector<std::string> take_merges(json& model, const std::filesystem::path& file) {
  merges_of(model, file);
  json& list = model["merges"];
  std::vector<std::string> merges;
  merges.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_string()) {
      std::string& text = list[i].get_ref<std::string&>();
      if (space_in_merge(text) == 0) reject_merge(i, file);
      merges.push_back(std::move(text));
      continue;
    }
    Merge merge = parse_merge(list[i], i, file);
    merges.push_back(without_space(std::move(merge.left)) + ' ' +
                     without_space(std::move(merge.right)));
  }
  return merges;
}

/// -k for the token that merge number k makes first: the runtime joins the pair with the highest
/// score, so the order of the merges is kept.
std::unordered_map<std::string, float> merge_scores(const json& model,
                                                    const std::filesystem::path& file) {
  const json& list = merges_of(model, file);
  std::unordered_map<std::string, float> scores;
  scores.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    Merge merge = parse_merge(list[i], i, file);
    merge.left += merge.right;
    scores.emplace(std::move(merge.left), -static_cast<float>(i));
  }
  return scores;
}

/// Whether a space is put before the text: by a Prepend normalizer or by a Metaspace pre-tokenizer.
bool adds_space_prefix(const json& tokenizer) {
  const json& normalizer = member(tokenizer, "normalizer");
  if (contains_type(normalizer, "Prepend")) return true;
  const json& split = member(tokenizer, "pre_tokenizer");
  const json& members = member(split, "pretokenizers");
  const auto prefixes = [](const json& part) {
    if (!is_type(part, "Metaspace")) return false;
    const json& scheme = member(part, "prepend_scheme");
    if (scheme.is_string()) return scheme.get_ref<const std::string&>() != "never";
    const json& flag = member(part, "add_prefix_space");
    return !flag.is_boolean() || flag.get<bool>();
  };
  return prefixes(split) || (members.is_array() && std::ranges::any_of(members, prefixes));
}

}  // namespace

VocabularyKind tokenizer_kind(const json& tokenizer, const std::filesystem::path& file) {
  const json& model = member(tokenizer, "model");
  if (!model.is_object() || !member(model, "vocab").is_structured()) {
    reject(file, "it has no model with a vocabulary");
  }
  const json& type = member(model, "type");
  // Files of the first versions do not state the type; only BPE has merges.
  const std::string name = type.is_string()                     ? type.get<std::string>()
                           : member(model, "merges").is_array() ? "BPE"
                                                                : "of an unnamed kind";
  if (name != "BPE") {
    refuse(file, fmt::format("its model is {}, not BPE", base::escape_controls(name)));
  }
  const json& fallback = member(model, "byte_fallback");
  if (fallback.is_boolean() && fallback.get<bool>()) return VocabularyKind::kSentencePieceBpe;
  if (contains_type(member(tokenizer, "pre_tokenizer"), "ByteLevel") ||
      contains_type(member(tokenizer, "decoder"), "ByteLevel")) {
    return VocabularyKind::kByteLevelBpe;
  }
  refuse(file, "its BPE model has neither byte-level pieces nor byte fallback");
}

void read_added_tokens(const json& tokenizer, const std::filesystem::path& file, bool skip_outside,
                       TokenTable& table) {
  const json& list = member(tokenizer, "added_tokens");
  if (list.is_null()) return;
  if (!list.is_array()) reject(file, "added_tokens is not a list");
  for (const json& entry : list) {
    const json& id = member(entry, "id");
    const json& content = member(entry, "content");
    const json& special = member(entry, "special");
    if (!id.is_number_integer() || !content.is_string()) {
      reject(file, "an entry of added_tokens has no id or no content");
    }
    const auto number = id.get<std::int64_t>();
    if (skip_outside && !table.holds(number)) continue;
    table.add(number, content.get<std::string>(), special.is_boolean() && special.get<bool>());
  }
}

void read_tokenizer_json(json& tokenizer, const std::filesystem::path& file, TokenTable& table,
                         Vocabulary& vocabulary) {
  json& model = tokenizer["model"];
  const json& vocab = member(model, "vocab");
  const bool byte_level = vocabulary.kind == VocabularyKind::kByteLevelBpe;
  std::unordered_map<std::string, float> scores;
  if (byte_level) {
    vocabulary.merges = take_merges(model, file);
    vocabulary.pre = pretokenizer_name(member(tokenizer, "pre_tokenizer"));
  } else {
    scores = merge_scores(model, file);
    vocabulary.pre = "default";
    vocabulary.add_space_prefix = adds_space_prefix(tokenizer);
  }
  if (!vocab.is_object()) reject(file, "its vocabulary is not a map from token to id");
  const std::string unknown = token_content(member(model, "unk_token"));
  for (const auto& [text, id] : vocab.items()) {
    if (!id.is_number_integer()) {
      reject(file, fmt::format("token '{}' has no id", base::escape_controls(text)));
    }
    TokenType type = TokenType::kNormal;
    if (!byte_level && is_byte_token(text)) type = TokenType::kByte;
    if (!byte_level && text == unknown) type = TokenType::kUnknown;
    const auto score = scores.find(text);
    table.set(id.get<std::int64_t>(), text, type, score == scores.end() ? 0 : score->second);
  }
  read_added_tokens(tokenizer, file, !byte_level, table);
}

}  // namespace lq::text
