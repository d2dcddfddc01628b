#pragma once
// What a tensor is for. Decided once, from the architecture's name table; mixes, quantizers and
// reports switch on it.

#include <cstdint>
#include <string_view>

namespace lq::model {

enum class TensorRole : std::uint8_t {
  kTokenEmbedding,
  kOutputNorm,
  kOutput,
  kRopeFreqs,
  kAttnNorm,
  kAttnQ,
  kAttnK,
  kAttnV,
  kAttnQkv,
  kAttnOutput,
  kAttnQNorm,
  kAttnKNorm,
  kFfnNorm,
  kFfnGate,
  kFfnUp,
  kFfnDown,
};

std::string_view role_name(
    TensorRole role);  // GGUF spelling: "attn_q", "ffn_down", "token_embd" ...

}  // namespace lq::model
