// llama.cpp finds the same perplexity and divergence on the same windows, of float32 files, which it
// computes without rounding activations; and the protocol that has its name cuts as it does.

#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/behaviour/evaluation.h"
#include "common/behaviour/summary.h"
#include "tests/peers/quantized.h"

namespace lq::behaviour {
namespace {

namespace fs = std::filesystem;
using lq::testing::llama_peer;
using lq::testing::llama_peer_json;
using lq::testing::quantized;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;
using nlohmann::json;

const fs::path kData = LQ_TEST_DATA;
const fs::path kModel = kData / "tiny-llama";
const fs::path kText = kData / "tiny-llama-golden" / "eval.txt";

class LlamaPeer : public ::testing::Test {
 protected:
  static EvaluationWindows windows(std::string_view protocol, std::size_t window) {
    return cut_text(text::open_tokenizer(kModel), read_file(kText), find_protocol(protocol),
                    {.window = window, .n_vocab = 2048});
  }
  static json lists_of(const EvaluationWindows& windows) {
    json lists = json::array();
    for (std::size_t w = 0; w < windows.windows.n_windows(); ++w) {
      lists.push_back(windows.windows.window(w));
    }
    return lists;
  }

  /// The model with coarser weights: bfloat16 values lose three of their seven bits.
  fs::path coarse_model() const {
    const fs::path dir = scratch_.path() / "coarse";
    fs::copy(kModel, dir);
    const fs::path file = dir / "model.safetensors";
    std::string bytes = read_file(file);
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    for (std::size_t i = 8 + header; i < bytes.size(); i += 2) {
      bytes[i] = static_cast<char>(bytes[i] & 0xF8);
    }
    fs::remove(file);
    scratch_.write("coarse/model.safetensors", bytes);
    return dir;
  }

  static std::vector<PositionResult> compare_models(const fs::path& reference,
                                                    const fs::path& other,
                                                    const EvaluationWindows& windows) {
    const EvaluationOptions options{.compute = linalg::Compute::kF32, .n_threads = 2};
    const model::Checkpoint a = model::open_checkpoint(reference),
                            b = model::open_checkpoint(other);
    const forward::CheckpointWeights of_a(a), of_b(b);
    ModelPredictions p({a.config, of_a}, windows, options), q({b.config, of_b}, windows, options);
    return compare(p, q, windows, 2);
  }

  const ScratchDirectory scratch_;
};

TEST_F(LlamaPeer, CutsTheTextAsTheProtocolOfItsName) {
  LQ_NEED_PEER("LLAMA_PEER");
  const std::string model = quantized(kModel, "F32", scratch_);
  const json ids = json::parse(llama_peer({"tokenize", model, "--file", kText, "--bos"}));
  constexpr std::size_t kWindow = 512;
  json wanted = json::array();
  for (std::size_t begin = 0; begin + kWindow <= ids.size(); begin += kWindow) {
    json window = json::array();
    for (std::size_t i = begin; i < begin + kWindow; ++i) window.push_back(ids[i]);
    window[0] = ids[0];
    wanted.push_back(window);
  }
  EXPECT_EQ(lists_of(windows("llama.cpp", 0)), wanted);
}

TEST_F(LlamaPeer, HasTheSamePerplexitiesAndDivergence) {
  LQ_NEED_PEER("LLAMA_PEER");
  const fs::path coarse = coarse_model();
  const ScratchDirectory other;
  const std::string p = quantized(kModel, "F32", scratch_), q = quantized(coarse, "F32", other);
  for (const std::string protocol : {"llama.cpp", "lq"}) {
    SCOPED_TRACE(protocol);
    const EvaluationWindows cut = windows(protocol, 512);
    const std::string list = scratch_.write("windows.json", lists_of(cut).dump());
    const json peers = llama_peer_json(
        {"kld", p, q, list, "--mode", protocol == "lq" ? "all" : "half", "--ctx", "512"})[0];
    const ComparisonSummary ours = summarize_comparison(compare_models(kModel, coarse, cut));
    EXPECT_EQ(ours.n_tokens, peers["predictions"]);
    EXPECT_NEAR(ours.reference_perplexity.value, peers["ref_ppl"], 1e-3);
    EXPECT_NEAR(ours.perplexity.value, peers["ppl"], 1e-3);
    EXPECT_GT(ours.divergence.value, 1e-4);
    EXPECT_NEAR(ours.divergence.value / peers["mean_kld"].get<double>(), 1, 2e-3);
    EXPECT_NEAR(ours.divergence_max / peers["max_kld"].get<double>(), 1, 5e-3);
    EXPECT_NEAR(ours.same_top.value, peers["same_top1"], 1e-3);
  }
}

}  // namespace
}  // namespace lq::behaviour
