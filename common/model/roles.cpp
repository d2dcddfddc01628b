#include "common/model/roles.h"

#include <array>
#include <cstddef>

namespace lq::model {

std::string_view role_name(TensorRole role) {
  // In the order of the enumeration.
  static constexpr std::array<std::string_view, 16> kNames = {
      "token_embd", "output_norm", "output",   "rope_freqs",  "attn_norm",   "attn_q",
      "attn_k",     "attn_v",      "attn_qkv", "attn_output", "attn_q_norm", "attn_k_norm",
      "ffn_norm",   "ffn_gate",    "ffn_up",   "ffn_down"};
  static_assert(kNames.size() == static_cast<std::size_t>(TensorRole::kFfnDown) + 1);
  return kNames[static_cast<std::size_t>(role)];
}

}  // namespace lq::model
