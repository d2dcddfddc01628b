#include "common/subject/gguf_tokenizer.h"

#include <array>
#include <fmt/format.h>
#include <string_view>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/subject/gguf_keys.h"
#include "common/text/vocabulary_tokenizer.h"

namespace lq::subject {
namespace {

using text::TokenType;

std::string key(std::string_view name) { return fmt::format("tokenizer.ggml.{}", name); }

text::VocabularyKind kind_of(const GgufKeys& keys) {
  const std::optional<std::string> model = keys.text(key("model"));
  if (!model) keys.miss(key("model"));
  if (*model == "gpt2") return text::VocabularyKind::kByteLevelBpe;
  if (*model == "llama") return text::VocabularyKind::kSentencePieceBpe;
  throw base::UnsupportedError(
      fmt::format("cannot use the tokenizer of {}", base::shown(keys.file())),
      fmt::format("it is of the kind '{}'; known are gpt2 and llama",
                  base::escape_controls(*model)),
      "use a model whose tokenizer is one of these");
}

/// A list with one value for each token.
template <class List>
const List& of_tokens(const List* list, std::string_view name, std::size_t n_tokens,
                      const GgufKeys& keys) {
  if (list == nullptr) keys.miss(key(name));
  if (list->size() != n_tokens) {
    keys.reject(fmt::format("{} has {} values for {} tokens", key(name), list->size(), n_tokens));
  }
  return *list;
}

std::vector<TokenType> types_of(const GgufKeys& keys, std::size_t n_tokens) {
  const std::vector<std::int32_t>* const list = keys.integers(key("token_type"));
  std::vector<TokenType> types(n_tokens, TokenType::kNormal);
  if (list == nullptr) return types;
  of_tokens(list, "token_type", n_tokens, keys);
  for (std::size_t id = 0; id < n_tokens; ++id) {
    const std::int32_t type = (*list)[id];
    if (type < static_cast<std::int32_t>(TokenType::kNormal) ||
        type > static_cast<std::int32_t>(TokenType::kByte)) {
      keys.reject(fmt::format("token {} is of the unknown type {}", id, type));
    }
    types[id] = static_cast<TokenType>(type);
  }
  return types;
}

}  // namespace

text::Vocabulary gguf_vocabulary(const gguf::Metadata& metadata,
                                 const std::filesystem::path& file) {
  const GgufKeys keys(metadata, file);
  text::Vocabulary vocabulary;
  vocabulary.kind = kind_of(keys);
  vocabulary.source = file;
  vocabulary.pre = keys.text(key("pre")).value_or("");
  const std::vector<std::string>* const tokens = keys.texts(key("tokens"));
  if (tokens == nullptr) keys.miss(key("tokens"));
  vocabulary.tokens = *tokens;
  vocabulary.types = types_of(keys, tokens->size());
  if (vocabulary.kind == text::VocabularyKind::kByteLevelBpe) {
    const std::vector<std::string>* const merges = keys.texts(key("merges"));
    if (merges == nullptr) keys.miss(key("merges"));
    vocabulary.merges = *merges;
  } else {
    vocabulary.scores = of_tokens(keys.reals(key("scores")), "scores", tokens->size(), keys);
  }
  for (const std::string_view stem : {"bos", "eos"}) {
    const std::string name = key(fmt::format("{}_token_id", stem));
    const auto id = keys.whole(name, 0, std::ssize(*tokens) - 1);
    if (id) vocabulary.special_ids.emplace(stem, static_cast<std::uint32_t>(*id));
  }
  vocabulary.add_bos = keys.flag(key("add_bos_token"));
  vocabulary.add_eos = keys.flag(key("add_eos_token"));
  vocabulary.add_space_prefix = keys.flag(key("add_space_prefix"));
  return vocabulary;
}

text::Tokenizer gguf_tokenizer(const gguf::Metadata& metadata, const std::filesystem::path& file) {
  return {text::vocabulary_tokenizer(gguf_vocabulary(metadata, file)), file};
}

}  // namespace lq::subject
