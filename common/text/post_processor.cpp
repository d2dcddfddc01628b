#include "common/text/post_processor.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "common/text/tokenizer_files.h"

namespace lq::text {
namespace {

using nlohmann::json;

std::uint32_t id_of(const json& value, const TokenizerPart& part) {
  if (!value.is_number_integer() || value < 0 || value > 0xFFFFFFFFU) {
    part.reject("a token of its post-processor has no id");
  }
  return value.get<std::uint32_t>();
}

/// {"single": [{"SpecialToken": {"id": name}} or {"Sequence": {"id": "A"}}, ...],
///  "special_tokens": {name: {"ids": [...]}}}
SurroundingIds read_template(const TokenizerPart& part) {
  const json& single = member(part.value(), "single");
  const json& tokens = member(part.value(), "special_tokens");
  if (!single.is_array()) part.reject("the template of its post-processor is not a list");
  SurroundingIds ids;
  int n_texts = 0;
  for (const json& piece : single) {
    if (!member(piece, "Sequence").is_null()) {
      ++n_texts;
      continue;
    }
    const json& name = member(member(piece, "SpecialToken"), "id");
    if (!name.is_string()) part.reject("a piece of its post-processor's template is of no kind");
    const json& listed = member(member(tokens, name.get_ref<const std::string&>()), "ids");
    if (!listed.is_array()) {
      part.reject(fmt::format("its post-processor does not say what '{}' is",
                              name.get_ref<const std::string&>()));
    }
    for (const json& id : listed) {
      (n_texts == 0 ? ids.before : ids.behind).push_back(id_of(id, part));
    }
  }
  if (n_texts != 1) part.refuse("the template of its post-processor does not have the text once");
  return ids;
}

/// {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}
SurroundingIds read_pair(const TokenizerPart& part) {
  const auto id_at = [&](std::string_view key) {
    const json& token = member(part.value(), key);
    return id_of(token.is_array() && token.size() == 2 ? token[1] : json(), part);
  };
  return {.before = {id_at("cls")}, .behind = {id_at("sep")}};
}

SurroundingIds read_nothing(const TokenizerPart&) { return {}; }

SurroundingIds read_sequence(const TokenizerPart& part) {
  SurroundingIds all;
  for (const TokenizerPart& one : part.parts("processors")) {
    const SurroundingIds ids = read_post_processor(one);
    all.before.insert(all.before.begin(), ids.before.begin(), ids.before.end());
    all.behind.insert(all.behind.end(), ids.behind.begin(), ids.behind.end());
  }
  return all;
}

struct Kind {
  std::string_view type;
  SurroundingIds (*read)(const TokenizerPart& part);
};

constexpr std::array kKinds = {
    Kind{"TemplateProcessing", read_template}, Kind{"BertProcessing", read_pair},
    Kind{"RobertaProcessing", read_pair},      Kind{"ByteLevel", read_nothing},
    Kind{"Sequence", read_sequence},
};

}  // namespace

SurroundingIds read_post_processor(const TokenizerPart& part) {
  if (part.is_null()) return {};
  const auto kind = std::ranges::find(kKinds, part.type(), &Kind::type);
  if (kind == kKinds.end()) part.refuse_type();
  return kind->read(part);
}

nlohmann::json surrounding_template(const std::optional<SurroundingToken>& before,
                                    const std::optional<SurroundingToken>& behind) {
  json tokens = json::object(), single = json::array();
  const auto add = [&](const std::optional<SurroundingToken>& token) {
    if (!token) return;
    tokens[token->text] = {{"ids", {token->id}}};
    single.push_back({{"SpecialToken", {{"id", token->text}}}});
  };
  add(before);
  single.push_back({{"Sequence", {{"id", "A"}}}});
  add(behind);
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"special_tokens", std::move(tokens)}};
}

}  // namespace lq::text
