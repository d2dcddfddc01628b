// Qwen2 and Qwen2.5, dense: as Llama, but with biases on q, k and v, and rotation of the two halves
// of a head as the checkpoint has it.

#include <array>

#include "common/model/arch/decoder_rows.h"
#include "common/model/arch/families.h"

namespace lq::model::arch {
namespace {

using decoder::biased;

constexpr std::array kHfClasses = {HfClass{"Qwen2ForCausalLM", "qwen2", WindowRule::kSwitched}};

constexpr std::array kTensors = {
    decoder::kTokenEmbedding,
    decoder::kOutputNorm,
    decoder::kOutput,
    decoder::kAttnNorm,
    biased(decoder::kAttnQ, Bias::kRequired),
    biased(decoder::kAttnK, Bias::kRequired),
    biased(decoder::kAttnV, Bias::kRequired),
    decoder::kAttnOutput,
    decoder::kFfnNorm,
    decoder::kFfnGate,
    decoder::kFfnUp,
    decoder::kFfnDown,
};

}  // namespace

constinit const Architecture kQwen2 = {
    .name = "qwen2", .hf_classes = kHfClasses, .tensors = kTensors};

}  // namespace lq::model::arch
