#include "common/model/tensor_map.h"

#include <string_view>
#include <unordered_set>

namespace lq::model {
namespace {

constexpr std::string_view kLayerMark = "{L}";

/// Buffers that old versions of the reference implementation saved beside the weights; the runtime
/// computes them.
bool is_buffer(std::string_view name) {
  return name.ends_with(".rotary_emb.inv_freq") || name.ends_with(".attn.bias") ||
         name.ends_with(".attn.masked_bias") || name.ends_with(".attention.bias");
}

tensor::Shape implied_shape(const TensorRow& row, const ModelConfig& config, bool bias) {
  tensor::Shape shape = {extent_of(row.rows, config)};
  if (!bias && row.columns != Extent::kNone) shape.push_back(extent_of(row.columns, config));
  return shape;
}

class Mapper {
 public:
  explicit Mapper(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  TensorMap run() {
    for (const TensorRow& row : checkpoint_.architecture->tensors) {
      const std::int64_t n = row.per_layer() ? checkpoint_.config.n_layers : 1;
      for (std::int64_t layer = 0; layer < n; ++layer) {
        add(row, row.per_layer() ? static_cast<int>(layer) : -1);
      }
    }
    for (const tensor::TensorInfo& info : checkpoint_.weights->tensors()) {
      if (!claimed_.contains(&info) && !is_buffer(info.name)) map_.left_over.push_back(&info);
    }
    return std::move(map_);
  }

 private:
  void add(const TensorRow& row, int layer) {
    const std::string stem = expand_layer(row.hf, layer);
    MappedTensor weight{
        &row,   layer, false, stem + ".weight", implied_shape(row, checkpoint_.config, false),
        nullptr};
    weight.found = checkpoint_.weights->find(weight.hf);
    if (weight.found != nullptr) claimed_.insert(weight.found);
    if (row.presence == Presence::kUnlessTied) {
      // A stored copy of tied embeddings is the same data again.
      map_.output_is_tied = checkpoint_.config.tied_embeddings || weight.found == nullptr;
      map_.output_is_missing = map_.output_is_tied && !checkpoint_.config.tied_embeddings;
      if (map_.output_is_tied) return;
    }
    map_.used.push_back(std::move(weight));
    const tensor::TensorInfo* bias = checkpoint_.weights->find(stem + ".bias");
    if (bias == nullptr && row.bias != Bias::kRequired) return;
    if (bias != nullptr) claimed_.insert(bias);
    if (row.bias == Bias::kNone) {
      map_.misplaced_biases.push_back(bias);
      return;
    }
    map_.used.push_back(
        {&row, layer, true, stem + ".bias", implied_shape(row, checkpoint_.config, true), bias});
  }

  const Checkpoint& checkpoint_;
  TensorMap map_;
  std::unordered_set<const tensor::TensorInfo*> claimed_;
};

}  // namespace

std::string expand_layer(std::string_view pattern, int layer) {
  std::string name(pattern);
  const std::size_t at = name.find(kLayerMark);
  if (at != std::string::npos) name.replace(at, kLayerMark.size(), std::to_string(layer));
  return name;
}

TensorMap map_tensors(const Checkpoint& checkpoint) { return Mapper(checkpoint).run(); }

}  // namespace lq::model
