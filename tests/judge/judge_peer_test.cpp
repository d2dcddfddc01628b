// The judge of quantized models agrees with vLLM and transformers on a float model, in float32: what
// is left between them on a quantized one is how the weights are read.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bench/judge/judge.h"
#include "common/calibration/token_file.h"
#include "common/subject/subject.h"
#include "tests/support/llama_peer.h"

namespace lq::bench {
namespace {

using lq::testing::Outcome;
using lq::testing::peer_path;

const std::string kData = LQ_TEST_DATA;

/// Of the first eight windows.
double perplexity_of_peer(const char* python, const std::string& script) {
  const Outcome outcome = lq::testing::run(
      {{peer_path(python), "-B", LQ_TEST_SOURCE "/peers/vllm/" + script, kData + "/tiny-llama",
        kData + "/awq-gptq/eval.json", "--max-windows", "8", "--dtype", "float32"},
       {},
       {}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  if (outcome.exit_code != 0) return 0;
  return nlohmann::json::parse(outcome.out)["perplexity"];
}

double perplexity_of_judge() {
  const auto model = subject::open_subject(kData + "/tiny-llama");
  calibration::TokenWindows windows = calibration::read_tokens(
      kData + "/awq-gptq/eval.json", static_cast<std::size_t>(model->config().vocab));
  windows.offsets.resize(9);
  windows.ids.resize(static_cast<std::size_t>(windows.offsets.back()));
  const Subject subject{model->config(), model->weights()};
  return Judge(subject, windows)(subject).perplexity;
}

TEST(JudgePeer, HasThePerplexityOfVllm) {
  LQ_NEED_PEER("LQ_VLLM_PYTHON");
  EXPECT_NEAR(perplexity_of_judge(), perplexity_of_peer("LQ_VLLM_PYTHON", "vllm-peer.py"), 1e-3);
}

TEST(JudgePeer, HasThePerplexityOfTransformers) {
  LQ_NEED_PEER("LQ_VLLM_PYTHON");  // which has transformers too
  EXPECT_NEAR(perplexity_of_judge(), perplexity_of_peer("LQ_VLLM_PYTHON", "hf-peer.py"), 1e-3);
}

}  // namespace
}  // namespace lq::bench
