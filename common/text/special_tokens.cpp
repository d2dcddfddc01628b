#include "common/text/special_tokens.h"

#include <array>
#include <optional>
#include <string_view>

namespace lq::text {
namespace {

using nlohmann::json;

struct SpecialName {
  std::string_view hf;    // "bos" of "bos_token"
  std::string_view gguf;  // key stem; GGUF's spelling of the separator is what it is
};
constexpr std::array kNames = {
    SpecialName{"bos", "bos"},       SpecialName{"eos", "eos"},     SpecialName{"unk", "unknown"},
    SpecialName{"sep", "seperator"}, SpecialName{"pad", "padding"}, SpecialName{"cls", "cls"},
    SpecialName{"mask", "mask"},
};

// Tokens that end a turn or a message of a chat in well-known templates, best first.
constexpr std::array<std::string_view, 5> kEndOfTurn = {"<|eot_id|>", "<|im_end|>", "<|end|>",
                                                        "<end_of_turn>", "<end_of_utterance>"};
constexpr std::array<std::string_view, 1> kEndOfMessage = {"<|eom_id|>"};

void find_first(std::span<const std::string_view> texts, const std::string& stem,
                const TokenTable& table, Vocabulary& vocabulary) {
  for (const std::string_view text : texts) {
    const std::int64_t id = table.find_added(text);
    if (id < 0) continue;
    vocabulary.special_ids.emplace(stem, static_cast<std::uint32_t>(id));
    return;
  }
}

/// The TemplateProcessing part of tokenizer.json's post_processor, which may be one of a Sequence;
/// null for none.
const json& find_template(const json& tokenizer) {
  const json& processor = member(tokenizer, "post_processor");
  if (is_type(processor, "TemplateProcessing")) return processor;
  const json& members = member(processor, "processors");
  if (members.is_array()) {
    for (const json& one : members) {
      if (is_type(one, "TemplateProcessing")) return one;
    }
  }
  return member(json(), "");
}

/// The special token at one end of the template for a single text; empty when the text itself
/// stands there.
std::string template_token(const json& single, bool at_front) {
  if (!single.is_array() || single.empty()) return {};
  const json& id = member(member(at_front ? single.front() : single.back(), "SpecialToken"), "id");
  return id.is_string() ? id.get<std::string>() : std::string();
}

std::optional<bool> stated_flag(const json& config, std::string_view key) {
  const json& value = member(config, key);
  return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

/// Whether the template puts the token `stem` at that end. A template that puts some token there
/// while no file names the token tells its id as well.
bool template_adds(const json& single, bool at_front, const std::string& stem,
                   const TokenTable& table, Vocabulary& vocabulary) {
  const std::string text = template_token(single, at_front);
  const std::int64_t id = text.empty() ? -1 : table.find(text);
  if (id < 0) return false;
  const auto [at, fresh] = vocabulary.special_ids.emplace(stem, static_cast<std::uint32_t>(id));
  return fresh || at->second == static_cast<std::uint32_t>(id);
}

}  // namespace

void find_special_tokens(const TokenizerFiles& files, const json& tokenizer,
                         const std::map<std::string, std::uint32_t>& config_ids,
                         const TokenTable& table, Vocabulary& vocabulary) {
  for (const SpecialName& name : kNames) {
    const std::string key = std::string(name.hf) + "_token";
    const std::string stem(name.gguf);
    for (const json* file : {&files.config, &files.special_map}) {
      const std::string text = token_content(member(*file, key));
      const std::int64_t id = text.empty() ? -1 : table.find(text);
      if (id >= 0) vocabulary.special_ids.emplace(stem, static_cast<std::uint32_t>(id));
    }
    const auto stated = config_ids.find(stem);
    if (stated != config_ids.end() && table.holds(stated->second)) {
      vocabulary.special_ids.emplace(stem, stated->second);
    }
  }
  find_first(kEndOfTurn, "eot", table, vocabulary);
  find_first(kEndOfMessage, "eom", table, vocabulary);

  const json& single = member(find_template(tokenizer), "single");
  // Without tokenizer.json there is no template; SentencePiece models of this family begin with
  // bos.
  const bool plain_bos = tokenizer.is_null() && vocabulary.special_ids.contains("bos");
  const bool bos = template_adds(single, true, "bos", table, vocabulary) || plain_bos;
  const bool eos = template_adds(single, false, "eos", table, vocabulary);
  vocabulary.add_bos = stated_flag(files.config, "add_bos_token").value_or(bos);
  vocabulary.add_eos = stated_flag(files.config, "add_eos_token").value_or(eos);
}

}  // namespace lq::text
