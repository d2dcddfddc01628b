// Each file type against llama.cpp's own file of that type: the KL divergence from the F32 file,
// over eval.txt, may be no larger but for a margin. Both files are evaluated by llama.cpp, on the
// same windows in one process.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/peers/quantized.h"

namespace lq::testing {
namespace {

void compare_all_types(bool with_importance) {
  const ScratchDirectory scratch;
  const std::string f32 = quantized(tiny_llama(), "F32", scratch);
  std::string importance = "none";
  std::vector<std::string> options;
  if (with_importance) {
    importance = scratch.path() / "importance.gguf";
    llama_peer({"imatrix", f32, calibration_tokens(f32, scratch), importance});
    options = {"--imatrix", importance};
  }
  std::string types;
  std::vector<FileTypeCase> cases;
  for (const FileTypeCase& file_type : kFileTypes) {
    if (file_type.needs_importance && !with_importance) continue;
    types += (types.empty() ? "" : ",") + std::string(file_type.name);
    cases.push_back(file_type);
  }
  const auto ours = quantized_files(tiny_llama(), types, scratch, options);
  ASSERT_EQ(ours.size(), cases.size());
  std::vector<std::string> arguments = {"kld", f32};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string peers = scratch.path() / fmt::format("peer-{}.gguf", cases[i].name);
    llama_peer({"quantize", f32, peers, std::string(cases[i].name), importance});
    arguments.insert(arguments.end(), {ours[i].string(), peers});
  }
  // Half of eval.txt keeps this test short; bench/quality.sh takes all of it. One thread, because
  // the tests run side by side and those of ggml wait for each other by spinning.
  arguments.insert(arguments.end(),
                   {evaluation_windows(f32, scratch), "--max-windows", "16", "--threads", "1"});
  const auto divergence = llama_peer_json(arguments);
  ASSERT_EQ(divergence.size(), 2 * cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const double our_mean = divergence[2 * i]["mean_kld"],
                 peer_mean = divergence[2 * i + 1]["mean_kld"];
    constexpr double kRounding = 1e-7;  // equal files of near-lossless types differ by this much
    EXPECT_LE(our_mean, cases[i].divergence_limit * peer_mean + kRounding)
        << cases[i].name << ": " << our_mean / peer_mean << " times llama.cpp's";
  }
}

TEST(LlamaDivergence, IsNoLargerThanThePeersWithoutImportance) {
  LQ_NEED_PEER("LLAMA_PEER");
  compare_all_types(false);
}

TEST(LlamaDivergence, IsNoLargerThanThePeersWithImportance) {
  LQ_NEED_PEER("LLAMA_PEER");
  compare_all_types(true);
}

}  // namespace
}  // namespace lq::testing
