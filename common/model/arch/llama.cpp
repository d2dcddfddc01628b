// Llama 1 to 3.x and everything built like it: Mistral, TinyLlama, SmolLM2. The runtime of this
// name rotates adjacent pairs of dimensions, so the rows of q and k are interleaved head by head.

#include <array>

#include "common/model/arch/families.h"

namespace lq::model::arch {
namespace {

using enum TensorRole;
using enum Extent;

constexpr std::array<std::string_view, 3> kHfNames = {"LlamaForCausalLM", "LLaMAForCausalLM",
                                                      "MistralForCausalLM"};
constexpr std::array<std::string_view, 2> kModelTypes = {"llama", "mistral"};

constexpr std::array kTensors = {
    TensorRow{.role = kTokenEmbedding,
              .hf = "model.embed_tokens",
              .gguf = "token_embd",
              .rows = kVocab,
              .columns = kHidden},
    TensorRow{.role = kOutputNorm, .hf = "model.norm", .gguf = "output_norm", .rows = kHidden},
    TensorRow{.role = kOutput,
              .hf = "lm_head",
              .gguf = "output",
              .rows = kVocab,
              .columns = kHidden,
              .presence = Presence::kUnlessTied},
    TensorRow{.role = kAttnNorm,
              .hf = "model.layers.{L}.input_layernorm",
              .gguf = "blk.{L}.attn_norm",
              .rows = kHidden},
    TensorRow{.role = kAttnQ,
              .hf = "model.layers.{L}.self_attn.q_proj",
              .gguf = "blk.{L}.attn_q",
              .rows = kQRows,
              .columns = kHidden,
              .bias = true,
              .transform = ValueTransform::kInterleaveQ},
    TensorRow{.role = kAttnK,
              .hf = "model.layers.{L}.self_attn.k_proj",
              .gguf = "blk.{L}.attn_k",
              .rows = kKvRows,
              .columns = kHidden,
              .bias = true,
              .transform = ValueTransform::kInterleaveK},
    TensorRow{.role = kAttnV,
              .hf = "model.layers.{L}.self_attn.v_proj",
              .gguf = "blk.{L}.attn_v",
              .rows = kKvRows,
              .columns = kHidden,
              .bias = true},
    TensorRow{.role = kAttnOutput,
              .hf = "model.layers.{L}.self_attn.o_proj",
              .gguf = "blk.{L}.attn_output",
              .rows = kHidden,
              .columns = kQRows,
              .bias = true},
    TensorRow{.role = kFfnNorm,
              .hf = "model.layers.{L}.post_attention_layernorm",
              .gguf = "blk.{L}.ffn_norm",
              .rows = kHidden},
    TensorRow{.role = kFfnGate,
              .hf = "model.layers.{L}.mlp.gate_proj",
              .gguf = "blk.{L}.ffn_gate",
              .rows = kFfn,
              .columns = kHidden,
              .bias = true},
    TensorRow{.role = kFfnUp,
              .hf = "model.layers.{L}.mlp.up_proj",
              .gguf = "blk.{L}.ffn_up",
              .rows = kFfn,
              .columns = kHidden,
              .bias = true},
    TensorRow{.role = kFfnDown,
              .hf = "model.layers.{L}.mlp.down_proj",
              .gguf = "blk.{L}.ffn_down",
              .rows = kHidden,
              .columns = kFfn,
              .bias = true},
};

}  // namespace

constinit const Architecture kLlama = {.name = "llama",
                                       .hf_names = kHfNames,
                                       .model_types = kModelTypes,
                                       .tensors = kTensors,
                                       .rope_interleaved = true,
                                       .rope_factors = true,
                                       .writes_rope_dimension = true};

}  // namespace lq::model::arch
