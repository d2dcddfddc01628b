#include "common/text/token_table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <fmt/format.h>
#include <memory_resource>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::text {
namespace {

// As llama.cpp's converter has them.
constexpr float kPaddingScore = -10000;
constexpr float kAddedScore = -1000;
constexpr std::size_t kIndexBytes = 56;  // of one token: a node and a bucket
constexpr std::string_view kSpaceMark = "\u2581";

std::string with_plain_spaces(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size();) {
    const bool mark = text.substr(i).starts_with(kSpaceMark);
    plain += mark ? ' ' : text[i];
    i += mark ? kSpaceMark.size() : 1;
  }
  return plain;
}

}  // namespace

TokenTable::TokenTable(std::int64_t vocab_size, bool with_scores, std::filesystem::path file)
    : file_(std::move(file)), with_scores_(with_scores) {
  assert(vocab_size > 0);
  const auto n = static_cast<std::size_t>(vocab_size);
  tokens_.resize(n);
  types_.assign(n, TokenType::kUnused);
  if (with_scores_) scores_.assign(n, kPaddingScore);
}

void TokenTable::reject(const std::string& why) const {
  throw base::ValidationError(
      fmt::format("cannot use the tokenizer {}", base::shown(file_)), why,
      "download the tokenizer files again; they and config.json must be of one model");
}

void TokenTable::set(std::int64_t id, std::string text, TokenType type, float score) {
  if (!holds(id)) {
    reject(fmt::format("token '{}' has id {}, but vocab_size in config.json is {}",
                       base::escape_controls(text), id, tokens_.size()));
  }
  const auto at = static_cast<std::size_t>(id);
  if (types_[at] != TokenType::kUnused) {
    reject(fmt::format("tokens '{}' and '{}' share the id {}", base::escape_controls(tokens_[at]),
                       base::escape_controls(text), id));
  }
  tokens_[at] = std::move(text);
  types_[at] = type;
  if (with_scores_) scores_[at] = score;
}

void TokenTable::add(std::int64_t id, const std::string& text, bool special) {
  if (!holds(id)) {
    reject(fmt::format("the added token '{}' has id {}, but vocab_size in config.json is {}",
                       base::escape_controls(text), id, tokens_.size()));
  }
  const auto at = static_cast<std::size_t>(id);
  const bool control = special || looks_special(text);
  tokens_[at] = control ? text : with_plain_spaces(text);
  types_[at] = control ? TokenType::kControl : TokenType::kUserDefined;
  if (with_scores_) scores_[at] = kAddedScore;
  added_.insert_or_assign(text, id);
}

std::int64_t TokenTable::find_added(std::string_view text) const {
  const auto at = added_.find(std::string(text));
  if (at != added_.end()) return at->second;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const bool no_text = types_[i] == TokenType::kControl || types_[i] == TokenType::kUserDefined;
    if (no_text && tokens_[i] == text) return static_cast<std::int64_t>(i);
  }
  return -1;
}

std::int64_t TokenTable::find(std::string_view text) const {
  const std::int64_t added = find_added(text);
  if (added >= 0) return added;
  const auto at = std::ranges::find(tokens_, text);
  return at == tokens_.end() ? -1 : at - tokens_.begin();
}

void TokenTable::move_to(Vocabulary& vocabulary) {
  // Freed as a whole: the table has an entry for each of some hundred thousand tokens.
  std::pmr::monotonic_buffer_resource memory(tokens_.size() * kIndexBytes);
  std::pmr::unordered_map<std::string_view, std::size_t> ids(&memory);
  ids.reserve(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (types_[i] == TokenType::kUnused && tokens_[i].empty())
      tokens_[i] = fmt::format("[PAD{}]", i);
    const auto [at, fresh] = ids.emplace(tokens_[i], i);
    if (!fresh) {
      reject(fmt::format("ids {} and {} have the same text '{}'", at->second, i,
                         base::escape_controls(tokens_[i])));
    }
  }
  vocabulary.tokens = std::move(tokens_);
  vocabulary.types = std::move(types_);
  vocabulary.scores = std::move(scores_);
}

bool looks_special(std::string_view text) {
  constexpr std::array<std::string_view, 4> kTexts = {"<pad>", "<mask>", "<2mass>", "[@BOS@]"};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kBrackets = {
      {{"<|", "|>"}, {"<\uFF5C", "\uFF5C>"}, {"<unused", ">"}}};
  if (std::ranges::count(kTexts, text) > 0) return true;
  return std::ranges::any_of(kBrackets, [&](const auto& bracket) {
    return text.size() >= bracket.first.size() + bracket.second.size() &&
           text.starts_with(bracket.first) && text.ends_with(bracket.second);
  });
}

}  // namespace lq::text
