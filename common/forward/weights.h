#pragma once
// Where the forward pass takes its weights from: anything that can give rows of a matrix as
// float32.

#include <cstddef>
#include <map>
#include <span>
#include <tuple>

#include "common/model/checkpoint.h"
#include "common/model/tensor_map.h"

namespace lq::forward {

/// A tensor by what it is for.
struct WeightKey {
  model::TensorRole role;
  int layer = -1;  // -1: not of a layer
  bool is_bias = false;

  auto operator<=>(const WeightKey&) const = default;
};

/// Thread rule: all members from any thread.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// {} when the model has no such tensor.
  virtual tensor::Shape shape(const WeightKey& key) const = 0;
  /// Elements from `first` on, row after row. REQUIRES: they are there. Throws ValidationError for
  /// values that are not finite, and where the file is broken.
  virtual void read(const WeightKey& key, std::size_t first, std::span<float> out) const = 0;
};

/// The weights of a model directory. The embeddings stand for an output matrix that is tied.
class CheckpointWeights : public WeightSource {
 public:
  /// `checkpoint` is referred to. Throws ValidationError for a missing tensor or a wrong shape.
  explicit CheckpointWeights(const model::Checkpoint& checkpoint);

  tensor::Shape shape(const WeightKey& key) const override;
  void read(const WeightKey& key, std::size_t first, std::span<float> out) const override;

 private:
  const tensor::TensorInfo* find(const WeightKey& key) const;

  const model::Checkpoint& checkpoint_;
  std::map<WeightKey, const tensor::TensorInfo*> tensors_;
};

}  // namespace lq::forward
