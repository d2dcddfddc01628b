#pragma once
// The tensors of a decoder built like Llama. A family lists these and says only what differs.

#include "common/model/architecture.h"

namespace lq::model::arch::decoder {

constexpr TensorRow biased(TensorRow row, Bias bias) {
  row.bias = bias;
  return row;
}
constexpr TensorRow transformed(TensorRow row, ValueTransform transform) {
  row.transform = transform;
  return row;
}

inline constexpr TensorRow kTokenEmbedding{.role = TensorRole::kTokenEmbedding,
                                           .hf = "model.embed_tokens",
                                           .gguf = "token_embd",
                                           .rows = Extent::kVocab,
                                           .columns = Extent::kHidden};
inline constexpr TensorRow kOutputNorm{.role = TensorRole::kOutputNorm,
                                       .hf = "model.norm",
                                       .gguf = "output_norm",
                                       .rows = Extent::kHidden};
inline constexpr TensorRow kOutput{.role = TensorRole::kOutput,
                                   .hf = "lm_head",
                                   .gguf = "output",
                                   .rows = Extent::kVocab,
                                   .columns = Extent::kHidden,
                                   .presence = Presence::kUnlessTied};
inline constexpr TensorRow kAttnNorm{.role = TensorRole::kAttnNorm,
                                     .hf = "model.layers.{L}.input_layernorm",
                                     .gguf = "blk.{L}.attn_norm",
                                     .rows = Extent::kHidden};
inline constexpr TensorRow kAttnQ{.role = TensorRole::kAttnQ,
                                  .hf = "model.layers.{L}.self_attn.q_proj",
                                  .gguf = "blk.{L}.attn_q",
                                  .rows = Extent::kQRows,
                                  .columns = Extent::kHidden};
inline constexpr TensorRow kAttnK{.role = TensorRole::kAttnK,
                                  .hf = "model.layers.{L}.self_attn.k_proj",
                                  .gguf = "blk.{L}.attn_k",
                                  .rows = Extent::kKvRows,
                                  .columns = Extent::kHidden};
inline constexpr TensorRow kAttnV{.role = TensorRole::kAttnV,
                                  .hf = "model.layers.{L}.self_attn.v_proj",
                                  .gguf = "blk.{L}.attn_v",
                                  .rows = Extent::kKvRows,
                                  .columns = Extent::kHidden};
inline constexpr TensorRow kAttnQNorm{.role = TensorRole::kAttnQNorm,
                                      .hf = "model.layers.{L}.self_attn.q_norm",
                                      .gguf = "blk.{L}.attn_q_norm",
                                      .rows = Extent::kHeadDim};
inline constexpr TensorRow kAttnKNorm{.role = TensorRole::kAttnKNorm,
                                      .hf = "model.layers.{L}.self_attn.k_norm",
                                      .gguf = "blk.{L}.attn_k_norm",
                                      .rows = Extent::kHeadDim};
inline constexpr TensorRow kAttnOutput{.role = TensorRole::kAttnOutput,
                                       .hf = "model.layers.{L}.self_attn.o_proj",
                                       .gguf = "blk.{L}.attn_output",
                                       .rows = Extent::kHidden,
                                       .columns = Extent::kQRows};
inline constexpr TensorRow kFfnNorm{.role = TensorRole::kFfnNorm,
                                    .hf = "model.layers.{L}.post_attention_layernorm",
                                    .gguf = "blk.{L}.ffn_norm",
                                    .rows = Extent::kHidden};
inline constexpr TensorRow kFfnGate{.role = TensorRole::kFfnGate,
                                    .hf = "model.layers.{L}.mlp.gate_proj",
                                    .gguf = "blk.{L}.ffn_gate",
                                    .rows = Extent::kFfn,
                                    .columns = Extent::kHidden};
inline constexpr TensorRow kFfnUp{.role = TensorRole::kFfnUp,
                                  .hf = "model.layers.{L}.mlp.up_proj",
                                  .gguf = "blk.{L}.ffn_up",
                                  .rows = Extent::kFfn,
                                  .columns = Extent::kHidden};
inline constexpr TensorRow kFfnDown{.role = TensorRole::kFfnDown,
                                    .hf = "model.layers.{L}.mlp.down_proj",
                                    .gguf = "blk.{L}.ffn_down",
                                    .rows = Extent::kHidden,
                                    .columns = Extent::kFfn};

}  // namespace lq::model::arch::decoder
