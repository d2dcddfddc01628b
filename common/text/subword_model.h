#pragma once
// The model of a tokenizer: a vocabulary, and how a piece of text is cut into its tokens. The kinds
// are BpeModel, UnigramModel and the two of word_models.h.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/text/string_index.h"
#include "common/text/tokenizer_part.h"
#include "common/text/word_cache.h"

namespace lq::text {

/// Tokens by text and by id. Ids are usually 0, 1, 2 ..., but nothing says so.
class SubwordVocabulary {
 public:
  /// From {"token": id, ...}. Throws ValidationError, through `part`.
  static SubwordVocabulary from_map(const TokenizerPart& part);

  void add(std::string_view text, std::uint32_t id);
  std::optional<std::uint32_t> find(std::string_view text) const { return ids_.find(text); }
  /// Empty for an id that no token has.
  const std::string& text(std::uint32_t id) const;
  /// Number of tokens.
  std::size_t size() const { return ids_.size(); }
  /// One more than the highest id.
  std::size_t n_ids() const { return texts_.size(); }

 private:
  StringIndex ids_;
  std::vector<std::string> texts_;
};

/// Thread rule: immutable; tokenize() may be called from several threads, each with its own cache.
class SubwordModel {
 public:
  explicit SubwordModel(SubwordVocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  virtual ~SubwordModel() = default;

  const SubwordVocabulary& vocabulary() const { return vocabulary_; }
  /// Appends the ids of a piece. REQUIRES: `piece` is valid UTF-8 and not empty; `cache` has seen
  /// no other model.
  virtual void tokenize(std::string_view piece, WordCache& cache,
                        std::vector<std::uint32_t>& ids) const = 0;

 private:
  SubwordVocabulary vocabulary_;
};

/// The "model" of tokenizer.json. Throws ValidationError, UnsupportedError.
std::unique_ptr<const SubwordModel> make_subword_model(const TokenizerPart& part);

/// "<0x0A>", as vocabularies with byte fallback name a byte.
std::string byte_token(unsigned char byte);

/// The ids of all 256 bytes; those that the vocabulary does not have are absent.
std::vector<std::optional<std::uint32_t>> byte_token_ids(const SubwordVocabulary& vocabulary);

/// Appends the ids of the bytes of `text`; false, and nothing is appended, when one has none.
bool append_byte_tokens(const std::vector<std::optional<std::uint32_t>>& byte_ids,
                        std::string_view text, std::vector<std::uint32_t>& ids);

}  // namespace lq::text
