#pragma once
// The tokenizer that a GGUF carries in its metadata.

#include <filesystem>

#include "common/gguf/metadata.h"
#include "common/text/tokenizer.h"
#include "common/text/vocabulary.h"

namespace lq::subject {

/// The reverse of what gguf_metadata() writes of a vocabulary; `file` becomes its source. Chat
/// templates are left out. Throws ValidationError for keys that are missing or do not fit together,
/// UnsupportedError for a kind of tokenizer that is neither gpt2 nor llama.
text::Vocabulary gguf_vocabulary(const gguf::Metadata& metadata, const std::filesystem::path& file);

/// Throws as gguf_vocabulary() and text::vocabulary_tokenizer().
text::Tokenizer gguf_tokenizer(const gguf::Metadata& metadata, const std::filesystem::path& file);

}  // namespace lq::subject
