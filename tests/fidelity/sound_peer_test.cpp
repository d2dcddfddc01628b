// Files of llama.cpp's own quantizer are the reference too.

#include "tests/fidelity/results.h"

namespace lq::testing {
namespace {

TEST(SoundPeer, FilesOfLlamaCpp) {
  const ScratchDirectory scratch;
  const std::string f32 = quantized(tiny_llama(), "F32", scratch);
  const std::string importance = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama.imatrix.gguf";
  for (const std::string type :
       {"Q8_0", "Q5_K_M", "Q4_K_M", "IQ4_NL", "IQ4_XS", "Q3_K_S", "Q2_K"}) {
    SCOPED_TRACE(type);
    const std::filesystem::path path = scratch.path() / ("peer-" + type + ".gguf");
    llama_peer({"quantize", f32, path.string(), type, importance});
    const Found found = found_of(tiny_llama(), path);
    EXPECT_TRUE(found.faults.empty()) << found.text();
    EXPECT_TRUE(std::ranges::any_of(found.comparison.tensors,
                                    [](const auto& error) { return error.storage.quantized(); }));
  }
}

}  // namespace
}  // namespace lq::testing
