// What llama.cpp's own quantizer writes is sound.

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/peers/quantized.h"
#include "tests/soundness/shown.h"

namespace lq::testing {
namespace {

TEST(LlamaFiles, OfEveryTypeAreSound) {
  LQ_NEED_PEER("LLAMA_PEER");
  LQ_NEED_PEER("LQ_PEER_PYTHON");
  const ScratchDirectory scratch;
  const std::filesystem::path reference = reference_f32(tiny_llama(), scratch);
  const std::string importance = scratch.path() / "importance.gguf";
  llama_peer({"imatrix", reference.string(), calibration_tokens(reference, scratch), importance,
              "--max-windows", "4"});
  EXPECT_TRUE(soundness::check(reference, {}).is_sound());
  for (const char* type :
       {"F16",   "BF16",   "Q8_0",    "Q4_0",  "Q4_1",   "Q5_0",   "Q5_1",  "Q2_K",
        "Q3_K",  "Q4_K",   "Q5_K",    "Q6_K",  "IQ4_NL", "IQ4_XS", "IQ3_S", "IQ3_XXS",
        "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_S", "IQ1_M",  "TQ1_0",  "TQ2_0", "MXFP4"}) {
    SCOPED_TRACE(type);
    const std::filesystem::path file = scratch.path() / (std::string(type) + ".gguf");
    llama_peer({"quantize", reference.string(), file.string(), "Q8_0", importance, "2",
                "--tensor-type", std::string("blk=") + type});
    const soundness::Soundness result = soundness::check(file, {.n_threads = 2});
    EXPECT_TRUE(result.is_sound()) << shown(result);
    EXPECT_EQ(base::to_lower(result.format), base::to_lower(type));
    EXPECT_TRUE(result.runtimes.back().loads);
  }
}

}  // namespace
}  // namespace lq::testing
