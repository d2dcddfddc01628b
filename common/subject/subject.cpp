#include "common/subject/subject.h"

#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "common/gguf/reader.h"
#include "common/hf/quantized_weights.h"
#include "common/subject/gguf_config.h"
#include "common/subject/gguf_content_id.h"
#include "common/subject/gguf_tokenizer.h"
#include "common/subject/gguf_weights.h"

namespace lq::subject {
namespace {

class LazyTokenizer {
 public:
  /// What `open` gives when it is first called; a call that throws does not count.
  template <class Open>
  const text::Tokenizer& get(const Open& open) const {
    const std::scoped_lock lock(mutex_);
    if (!tokenizer_) tokenizer_.emplace(open());
    return *tokenizer_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::optional<text::Tokenizer> tokenizer_;
};

class DirectorySubject final : public Subject {
 public:
  explicit DirectorySubject(const std::filesystem::path& dir)
      : checkpoint_(model::open_checkpoint(dir)) {
    if (hf::format_of(checkpoint_.config) != nullptr) {
      container_ = Container::kQuantizedDirectory;
      weights_ = std::make_unique<const hf::QuantizedWeights>(checkpoint_);
    } else {
      weights_ = std::make_unique<const forward::CheckpointWeights>(checkpoint_);
    }
  }

  Container container() const override { return container_; }
  const model::ModelConfig& config() const override { return checkpoint_.config; }
  const model::Architecture& architecture() const override { return *checkpoint_.architecture; }
  const forward::WeightSource& weights() const override { return *weights_; }
  std::string content_id() const override { return model::describe_input(checkpoint_).content_id; }
  const text::Tokenizer& tokenizer() const override {
    return tokenizer_.get([&] { return text::open_tokenizer(checkpoint_.dir); });
  }

 private:
  const model::Checkpoint checkpoint_;
  Container container_ = Container::kFloatDirectory;
  std::unique_ptr<const forward::WeightSource> weights_;
  LazyTokenizer tokenizer_;
};

class GgufSubject final : public Subject {
 public:
  explicit GgufSubject(const std::filesystem::path& path)
      : reader_(path),
        architecture_(gguf_architecture(reader_)),
        config_(gguf_config(reader_, architecture_)),
        weights_(reader_, architecture_, config_) {}

  Container container() const override { return Container::kGguf; }
  const model::ModelConfig& config() const override { return config_; }
  const model::Architecture& architecture() const override { return architecture_; }
  const forward::WeightSource& weights() const override { return weights_; }
  std::string content_id() const override { return gguf_content_id(reader_); }
  const text::Tokenizer& tokenizer() const override {
    return tokenizer_.get(
        [&] { return gguf_tokenizer(reader_.metadata(), reader_.files().front()); });
  }

 private:
  const gguf::Reader reader_;
  const model::Architecture& architecture_;
  const model::ModelConfig config_;
  const GgufWeights weights_;
  LazyTokenizer tokenizer_;
};

}  // namespace

std::unique_ptr<const Subject> open_subject(const std::filesystem::path& path) {
  // Only a file can be a GGUF; what is wrong with anything else, the checkpoint says.
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) {
    return std::make_unique<const GgufSubject>(path);
  }
  return std::make_unique<const DirectorySubject>(path);
}

}  // namespace lq::subject
