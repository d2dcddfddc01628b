#pragma once
// A model to be judged: whatever it is kept in, its configuration, its weights as float32 and its
// tokenizer.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/forward/weights.h"
#include "common/model/architecture.h"
#include "common/text/tokenizer.h"

namespace lq::subject {

enum class Container : std::uint8_t {
  kFloatDirectory,      // a Hugging Face directory of plain weights
  kQuantizedDirectory,  // the same in one of the formats of common/hf
  kGguf,                // one file or the parts of a split one
};

/// Thread rule: all members from any thread.
class Subject {
 public:
  virtual ~Subject() = default;

  virtual Container container() const = 0;
  virtual const model::ModelConfig& config() const = 0;
  virtual const model::Architecture& architecture() const = 0;
  virtual const forward::WeightSource& weights() const = 0;
  /// SHA-256 in hex that tells models apart without reading all of them: of a directory as manifests
  /// have it, of a GGUF over headers, sizes and samples of each tensor. Throws where files cannot be
  /// read.
  virtual std::string content_id() const = 0;
  /// Read when it is first asked for: ids can be judged without it. Throws as open_tokenizer() for a
  /// directory, as gguf_tokenizer() for a GGUF.
  virtual const text::Tokenizer& tokenizer() const = 0;
};

/// `path`: a model directory, or a GGUF file (any part of a split one). Reads headers only, but
/// checks that every weight is there in its shape. Throws ModelNotFoundError, ValidationError,
/// UnsupportedError.
std::unique_ptr<const Subject> open_subject(const std::filesystem::path& path);

}  // namespace lq::subject
