#pragma once
// What a tensor is for. Decided once, from the architecture's name table; mixes, quantizers and
// reports switch on it.

#include <cstdint>

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

}  // namespace lq::model
