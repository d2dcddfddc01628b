#pragma once
// Which tensors of a checkpoint the architecture's table asks for, and which are left over. The one
// place that turns table rows into names.

#include <string>
#include <vector>

#include "common/model/checkpoint.h"

namespace lq::model {

/// One tensor that the table asks for or allows.
struct MappedTensor {
  const TensorRow* row = nullptr;
  int layer = -1;
  bool is_bias = false;
  std::string hf;                             // full name on the Hub
  tensor::Shape shape;                        // that the config implies
  const tensor::TensorInfo* found = nullptr;  // nullptr: not in the checkpoint (a required one)
};

struct TensorMap {
  std::vector<MappedTensor> used;
  std::vector<const tensor::TensorInfo*> left_over;  // in the order of the source
  std::vector<const tensor::TensorInfo*>
      misplaced_biases;         // of modules that have none in this family's runtime
  bool output_is_tied = false;  // no output matrix is written
  bool output_is_missing =
      false;  // the same, though the config does not say that the embeddings are tied
};

/// The weight `row` of layer `layer` as the Hub names it, without suffix.
std::string expand_layer(std::string_view pattern, int layer);

TensorMap map_tensors(const Checkpoint& checkpoint);

}  // namespace lq::model
