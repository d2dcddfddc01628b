// Qwen2 and Qwen2.5, dense: as Llama, but with biases on q, k and v, and rotation of the two halves
// of a head as the checkpoint has it.

#include <array>

#include "common/model/arch/families.h"

namespace lq::model::arch {
namespace {

using enum TensorRole;
using enum Extent;

constexpr std::array<std::string_view, 1> kHfNames = {"Qwen2ForCausalLM"};
constexpr std::array<std::string_view, 1> kModelTypes = {"qwen2"};

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
              .bias = true},
    TensorRow{.role = kAttnK,
              .hf = "model.layers.{L}.self_attn.k_proj",
              .gguf = "blk.{L}.attn_k",
              .rows = kKvRows,
              .columns = kHidden,
              .bias = true},
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
              .columns = kQRows},
    TensorRow{.role = kFfnNorm,
              .hf = "model.layers.{L}.post_attention_layernorm",
              .gguf = "blk.{L}.ffn_norm",
              .rows = kHidden},
    TensorRow{.role = kFfnGate,
              .hf = "model.layers.{L}.mlp.gate_proj",
              .gguf = "blk.{L}.ffn_gate",
              .rows = kFfn,
              .columns = kHidden},
    TensorRow{.role = kFfnUp,
              .hf = "model.layers.{L}.mlp.up_proj",
              .gguf = "blk.{L}.ffn_up",
              .rows = kFfn,
              .columns = kHidden},
    TensorRow{.role = kFfnDown,
              .hf = "model.layers.{L}.mlp.down_proj",
              .gguf = "blk.{L}.ffn_down",
              .rows = kHidden,
              .columns = kFfn},
};

}  // namespace

constinit const Architecture kQwen2 = {
    .name = "qwen2", .hf_names = kHfNames, .model_types = kModelTypes, .tensors = kTensors};

}  // namespace lq::model::arch
