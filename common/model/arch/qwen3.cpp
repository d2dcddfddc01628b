// Qwen3, dense: no biases, q and k are normalised per head, and the head size is stated rather than
// implied.

#include <array>

#include "common/model/arch/decoder_rows.h"
#include "common/model/arch/families.h"

namespace lq::model::arch {
namespace {

constexpr std::array kHfClasses = {HfClass{"Qwen3ForCausalLM", "qwen3", WindowRule::kSwitched}};

constexpr std::array kTensors = {
    decoder::kTokenEmbedding, decoder::kOutputNorm, decoder::kOutput,  decoder::kAttnNorm,
    decoder::kAttnQ,          decoder::kAttnK,      decoder::kAttnV,   decoder::kAttnQNorm,
    decoder::kAttnKNorm,      decoder::kAttnOutput, decoder::kFfnNorm, decoder::kFfnGate,
    decoder::kFfnUp,          decoder::kFfnDown,
};

}  // namespace

constinit const Architecture kQwen3 = {
    .name = "qwen3", .hf_classes = kHfClasses, .tensors = kTensors, .writes_head_dim = true};

}  // namespace lq::model::arch
