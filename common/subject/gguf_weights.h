#pragma once
// The weights of a GGUF as the forward pass takes them: under the roles of the architecture's table,
// in float32, their rows in the order of the checkpoint that the file was made from.

#include <map>

#include "common/forward/weights.h"
#include "common/gguf/reader.h"
#include "common/model/architecture.h"

namespace lq::subject {

/// A row is decoded each time that it is asked for; nothing is kept. The embeddings stand for an
/// output matrix that is not there.
class GgufWeights : public forward::WeightSource {
 public:
  /// `reader` is referred to. Throws ValidationError for tensors that are missing or have another
  /// shape than `config` implies, all of them in one; UnsupportedError for a tensor that the
  /// architecture has no place for, and for types that hold no weights.
  GgufWeights(const gguf::Reader& reader, const model::Architecture& architecture,
              const model::ModelConfig& config);

  tensor::Shape shape(const forward::WeightKey& key) const override;
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override;

 private:
  struct Stored {
    const gguf::TensorInfo* tensor;
    tensor::Shape shape;
    int interleaved_heads;
  };
  void read_interleaved(const Stored& stored, std::size_t first, std::span<float> out) const;

  const gguf::Reader& reader_;
  std::map<forward::WeightKey, Stored> tensors_;
};

}  // namespace lq::subject
