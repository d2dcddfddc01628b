// Qwen3, dense: no biases, q and k are normalised per head, and the head size is stated rather than
// implied.

#include <array>

#include "common/model/arch/decoder_rows.h"
#include "common/model/arch/families.h"

namespace lq::model::arch {
namespace {

constexpr std::array<std::string_view, 1> kHfNames = {"Qwen3ForCausalLM"};
constexpr std::array<std::string_view, 1> kModelTypes = {"qwen3"};

constexpr std::array kTensors = {
    decoder::kTokenEmbedding, decoder::kOutputNorm, decoder::kOutput,  decoder::kAttnNorm,
    decoder::kAttnQ,          decoder::kAttnK,      decoder::kAttnV,   decoder::kAttnQNorm,
    decoder::kAttnKNorm,      decoder::kAttnOutput, decoder::kFfnNorm, decoder::kFfnGate,
    decoder::kFfnUp,          decoder::kFfnDown,
};

}  // namespace

constinit const Architecture kQwen3 = {.name = "qwen3",
                                       .hf_names = kHfNames,
                                       .model_types = kModelTypes,
                                       .tensors = kTensors,
                                       .writes_head_dim = true};

}  // namespace lq::model::arch
