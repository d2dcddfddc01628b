#pragma once
// A model family as data: which tensors it has, how they are named on the Hub and in GGUF, what must be done to their
// values. A new family is one file in arch/ and one row in arch_table.cpp.

#include <span>
#include <string>
#include <string_view>

#include "common/model/model_config.h"
#include "common/model/roles.h"

namespace lq::model {

/// What happens to the values of a tensor on the way into GGUF (format notes: common/model/README.md).
enum class ValueTransform : std::uint8_t {
  kNone,
  kInterleaveQ,  // rows of each query head from two halves to adjacent rotation pairs
  kInterleaveK,  // the same with the number of key-value heads
};

/// One row of an architecture's tensor table. `{L}` in a name stands for the layer number.
struct TensorRow {
  TensorRole role;
  std::string_view hf;    // without ".weight" / ".bias": "model.layers.{L}.self_attn.q_proj"
  std::string_view gguf;  // "blk.{L}.attn_q"
  bool bias = false;      // a ".bias" may stand beside the weight
  bool required = true;
  ValueTransform transform = ValueTransform::kNone;
};

struct Architecture {
  std::string_view name;                         // GGUF architecture: "llama"
  std::span<const std::string_view> hf_names;    // "LlamaForCausalLM", "MistralForCausalLM"
  std::span<const TensorRow> tensors;
  bool rope_interleaved = false;                 // the runtime rotates adjacent pairs
  bool writes_rope_dimension = false;            // rope.dimension_count is part of the file
  bool writes_head_dim = false;                  // attention.key_length / value_length always
};

std::span<const Architecture* const> architectures();
/// Throws UnsupportedError that lists what is supported.
const Architecture& find_architecture(const ModelConfig& config);

}  // namespace lq::model
