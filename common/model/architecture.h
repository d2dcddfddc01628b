#pragma once
// A model family as data: which tensors it has, how they are named on the Hub and in GGUF, what
// must be done to their values. A new family is one file in arch/ and one row in arch_table.cpp.

#include <span>
#include <string>
#include <string_view>

#include "common/model/layer_windows.h"
#include "common/model/model_config.h"
#include "common/model/roles.h"

namespace lq::model {

/// What happens to the values of a tensor on the way into GGUF. The runtime rotates adjacent pairs
/// of a head's dimensions for some families, while the Hub's checkpoints hold the two halves of
/// each head one after the other.
enum class ValueTransform : std::uint8_t {
  kNone,
  kInterleaveQ,  // rows of each query head from two halves to adjacent rotation pairs
  kInterleaveK,  // the same with the number of key-value heads
};

/// The number that stands for a dimension of a tensor, taken from the configuration.
enum class Extent : std::uint8_t {
  kNone,  // the tensor has no such dimension
  kHidden,
  kFfn,
  kVocab,
  kHeadDim,
  kQRows,   // query heads * head_dim
  kKvRows,  // key-value heads * head_dim
};
std::int64_t extent_of(Extent extent, const ModelConfig& config);

/// Where a tensor may be absent.
enum class Presence : std::uint8_t {
  kRequired,
  kUnlessTied,  // the output matrix: dropped, if there at all, when the embeddings serve as output
};

/// Whether a ".bias" of `rows` values stands beside the weight.
enum class Bias : std::uint8_t { kNone, kOptional, kRequired };

/// One row of an architecture's tensor table. `{L}` in a name stands for the layer number; a row
/// with it describes one tensor per layer.
struct TensorRow {
  TensorRole role;
  std::string_view hf;    // without ".weight" / ".bias": "model.layers.{L}.self_attn.q_proj"
  std::string_view gguf;  // "blk.{L}.attn_q"
  Extent rows;  // of the weight as PyTorch has it: [rows, columns], a vector has only rows
  Extent columns = Extent::kNone;
  Bias bias = Bias::kNone;
  ValueTransform transform = ValueTransform::kNone;
  Presence presence = Presence::kRequired;

  bool per_layer() const { return hf.find("{L}") != std::string_view::npos; }
};

/// A class of the Hub's models.
struct HfClass {
  std::string_view name;        // of config.json's architectures: "LlamaForCausalLM"
  std::string_view model_type;  // which stands for it where architectures is missing
  WindowRule windows = WindowRule::kNone;
};

struct Architecture {
  std::string_view name;  // GGUF architecture: "llama"
  std::span<const HfClass> hf_classes;
  std::span<const TensorRow> tensors;
  bool rope_factors = false;           // the runtime reads rope_freqs.weight
  bool writes_rope_dimension = false;  // rope.dimension_count is part of the file
  bool writes_head_dim = false;        // attention.key_length / value_length always
};

std::span<const Architecture* const> architectures();
/// The row and class of a model, {} of an unknown family.
struct KnownClass {
  const Architecture* architecture = nullptr;
  const HfClass* hf_class = nullptr;
};
KnownClass known_class(const std::string& name, const std::string& model_type);
/// Throws UnsupportedError that lists what is supported: for an unknown family, and for a model of
/// a known one that uses what the family's runtime does not have (experts, another activation,
/// partial rotation, a rope scaling).
const Architecture& find_architecture(const ModelConfig& config);

}  // namespace lq::model
