// Llama 1 to 3.x and everything built like it: Mistral, TinyLlama, SmolLM2. The runtime of this
// name rotates adjacent pairs of dimensions, so the rows of q and k are interleaved head by head.

#include <array>

#include "common/model/arch/decoder_rows.h"
#include "common/model/arch/families.h"

namespace lq::model::arch {
namespace {

using decoder::biased;
using decoder::transformed;

constexpr std::array kHfClasses = {
    HfClass{"LlamaForCausalLM", "llama"},
    HfClass{"LLaMAForCausalLM", "llama"},
    HfClass{"MistralForCausalLM", "mistral", WindowRule::kStated},
};

constexpr std::array kTensors = {
    decoder::kTokenEmbedding,
    decoder::kOutputNorm,
    decoder::kOutput,
    decoder::kAttnNorm,
    transformed(biased(decoder::kAttnQ, Bias::kOptional), ValueTransform::kInterleaveQ),
    transformed(biased(decoder::kAttnK, Bias::kOptional), ValueTransform::kInterleaveK),
    biased(decoder::kAttnV, Bias::kOptional),
    biased(decoder::kAttnOutput, Bias::kOptional),
    decoder::kFfnNorm,
    biased(decoder::kFfnGate, Bias::kOptional),
    biased(decoder::kFfnUp, Bias::kOptional),
    biased(decoder::kFfnDown, Bias::kOptional),
};

}  // namespace

constinit const Architecture kLlama = {.name = "llama",
                                       .hf_classes = kHfClasses,
                                       .tensors = kTensors,
                                       .rope_factors = true,
                                       .writes_rope_dimension = true};

}  // namespace lq::model::arch
