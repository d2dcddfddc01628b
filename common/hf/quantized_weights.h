#pragma once
// The weights of a quantized model directory as float32, for everything that runs models.

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "common/forward/weights.h"
#include "common/hf/format.h"

namespace lq::hf {

/// The format that config.json names; nullptr for one that is not ours.
const Format* format_of(const model::ModelConfig& config);

/// Linears are decoded whole when they are first read, and kept as codes while those of the same
/// layer are read.
class QuantizedWeights : public forward::WeightSource {
 public:
  /// `checkpoint` is referred to. Throws ValidationError for a tensor that is missing or has a wrong
  /// shape, and for a format that is not ours.
  explicit QuantizedWeights(const model::Checkpoint& checkpoint);

  tensor::Shape shape(const forward::WeightKey& key) const override;
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override;

 private:
  struct Stored {
    tensor::Shape shape;
    const tensor::TensorInfo* plain = nullptr;
    std::string module = {};  // of a quantized linear
    Scheme scheme = {};
  };
  using Decoded = std::shared_ptr<const tensor::QuantizedMatrix>;

  Stored find(const model::MappedTensor& tensor) const;
  const Stored* find(const forward::WeightKey& key) const;
  Decoded decoded(const forward::WeightKey& key, const Stored& stored) const;
  [[noreturn]] void fail(std::string why) const;

  const model::Checkpoint& checkpoint_;
  const Format* format_;
  std::map<forward::WeightKey, Stored> tensors_;
  mutable std::mutex mutex_;
  mutable std::map<forward::WeightKey, Decoded> decoded_;  // of one layer
};

}  // namespace lq::hf
