// The perplexity of GGUF files of every type that is decoded, by the project's own forward pass,
// against llama.cpp on the same windows. llama.cpp rounds what enters products with quantized
// weights to 8 bits, so that it is asked for a float32 copy, which it makes itself; how far that
// rounding takes it from its own copy is what it says of the file as it is.

#include <cmath>
#include <gtest/gtest.h>

#include "bench/judge/judge.h"
#include "common/calibration/token_file.h"
#include "common/subject/subject.h"
#include "tests/peers/quantized.h"
#include "tests/support/llama_peer.h"

namespace lq::bench {
namespace {

using lq::testing::llama_peer;
using lq::testing::llama_peer_json;
using lq::testing::ScratchDirectory;

const std::filesystem::path kData = LQ_TEST_DATA;
const std::string kWindows = kData / "awq-gptq" / "eval.json";
const std::string kImportance = kData / "tiny-llama.imatrix.gguf";
constexpr std::size_t kUsedWindows = 2;

double our_perplexity(const std::filesystem::path& gguf) {
  const auto model = subject::open_subject(gguf);
  calibration::TokenWindows windows =
      calibration::read_tokens(kWindows, static_cast<std::size_t>(model->config().vocab));
  windows.offsets.resize(kUsedWindows + 1);
  windows.ids.resize(static_cast<std::size_t>(windows.offsets.back()));
  const Subject subject{model->config(), model->weights()};
  return Judge(subject, windows)(subject).perplexity;
}

/// What llama.cpp says of the file and of its float32 copy.
struct PeerPerplexity {
  double of_copy, of_file;
};
PeerPerplexity perplexity_of_peer(const std::filesystem::path& gguf,
                                  const ScratchDirectory& scratch) {
  const std::string copy = scratch.path() / "copy.gguf";
  llama_peer({"quantize", gguf.string(), copy, "F32", "none", "1", "--allow-requantize"});
  const auto answer = llama_peer_json({"kld", copy, gguf.string(), kWindows, "--mode", "all",
                                       "--max-windows", std::to_string(kUsedWindows)});
  return {answer.at(0).at("ref_ppl"), answer.at(0).at("ppl")};
}

void expect_equal(const std::string& type, const std::filesystem::path& gguf,
                  const ScratchDirectory& scratch) {
  SCOPED_TRACE(type);
  const double ours = our_perplexity(gguf);
  const PeerPerplexity theirs = perplexity_of_peer(gguf, scratch);
  const auto distance = [&](double peer) { return std::abs(ours / peer - 1); };
  EXPECT_LT(distance(theirs.of_copy), 1e-5) << theirs.of_copy;  // measured: 2e-7 at most
  EXPECT_LT(distance(theirs.of_file), 0.01) << theirs.of_file;  // measured: 0.003 at most
}

TEST(GgufPeer, HasThePerplexityOfEachTypeThatWeWrite) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory scratch;
  std::string types = "F32";
  std::vector<std::string> names = {types};
  for (const testing::FileTypeCase& row : testing::kFileTypes) {
    names.emplace_back(row.name);
    types += "," + names.back();
  }
  const auto files =
      testing::quantized_files(testing::tiny_llama(), types, scratch, {"--imatrix", kImportance});
  ASSERT_EQ(files.size(), names.size());
  for (std::size_t i = 0; i < files.size(); ++i) expect_equal(names[i], files[i], scratch);
}

TEST(GgufPeer, HasThePerplexityOfEachTypeThatIsOnlyRead) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory scratch;
  const auto whole = testing::quantized(testing::tiny_llama(), "F32", scratch);
  // Only where rows change their order, because some take long to encode.
  for (const std::string type :
       {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS",
        "TQ1_0", "TQ2_0", "MXFP4", "NVFP4", "Q1_0", "Q2_0"}) {
    const std::string file = scratch.path() / "peers.gguf";
    llama_peer({"quantize", whole.string(), file, "Q8_0", kImportance, "1", "--tensor-type",
                "blk.*attn_[qk].weight=" + type});
    expect_equal(type, file, scratch);
  }
}

TEST(GgufPeer, HasThePerplexityOfASplitFile) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory scratch, whole_scratch;
  const auto first =
      testing::quantized(testing::tiny_llama(), "Q4_0", scratch, {"--split-max-size", "1M"});
  const auto whole = testing::quantized(testing::tiny_llama(), "Q4_0", whole_scratch);
  ASSERT_NE(first.filename().string().find("-00001-of-"), std::string::npos) << first;
  EXPECT_EQ(our_perplexity(first), our_perplexity(whole));
}

}  // namespace
}  // namespace lq::bench
