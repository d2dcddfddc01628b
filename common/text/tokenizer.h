#pragma once
// Text to token ids and back, as the reference implementation (Hugging Face's `tokenizers`) does it:
//
//   text -> added tokens found in it (added_vocabulary.h)
//        -> what stands between them, normalized (normalizer.h)
//        -> added tokens found in that
//        -> pieces (pretokenizer.h) -> tokens of the model (subword_model.h)
//        -> special tokens around the whole (post_processor.h)
//
//   token ids -> their texts -> text (decoder.h)
//
// `truncation` and `padding` of tokenizer.json belong to how a training script called the
// tokenizer, not to its ids, and are not applied.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lq::text {

struct Encoding {
  std::vector<std::uint32_t> ids;
};

/// Thread rule: immutable; every member may be called from several threads at once.
class Tokenizer {
 public:
  /// From the contents of a tokenizer.json; `file` is named in errors. Throws ValidationError for a
  /// broken one, UnsupportedError for one with a part that is not implemented.
  Tokenizer(const nlohmann::json& tokenizer, const std::filesystem::path& file);
  ~Tokenizer();
  Tokenizer(Tokenizer&& other) noexcept;

  /// `add_special`: with what the tokenizer itself puts around a text. Special tokens that are
  /// written in the text are recognised in any case. Throws ValidationError for text that is not
  /// UTF-8, naming the byte.
  Encoding encode(std::string_view text, bool add_special) const;

  /// Ids without a token are left out, and special tokens where `skip_special`; what is no UTF-8
  /// becomes U+FFFD. A text that was encoded comes back but for what normalizer, pre-tokenizer and
  /// the blanks beside added tokens changed. Throws UnsupportedError when the tokenizer's decoder is
  /// of a kind that is not implemented.
  std::string decode(std::span<const std::uint32_t> ids, bool skip_special = false) const;

  /// The text of a token in the vocabulary; empty for an id that none has.
  const std::string& piece(std::uint32_t id) const;
  /// One more than the highest id.
  std::size_t vocab_size() const;
  /// The first token that the tokenizer itself puts before a text.
  std::optional<std::uint32_t> bos_id() const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

/// The tokenizer of a model directory: tokenizer.json or, where that is missing, tokenizer.model.
/// No other file is needed. Throws ModelNotFoundError when neither is there, ValidationError,
/// UnsupportedError.
Tokenizer open_tokenizer(const std::filesystem::path& dir);

}  // namespace lq::text
