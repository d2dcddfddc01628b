#pragma once
// Files that the peer tests compare: ours by lq-quant-gguf, references by hf2gguf.py and llama.cpp,
// and the texts of the bundled model as windows of token ids.

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/llama_peer.h"
#include "tests/support/scratch.h"

namespace lq::testing {

struct FileTypeCase {
  std::string_view name;
  double
      divergence_limit;  // of ours over llama.cpp's; from 5 bits up run-time rounding is half of it
  bool needs_importance = false;
};

/// Every file type that we write, but F32.
inline constexpr FileTypeCase kFileTypes[] = {
    {"F16", 1.05},    {"BF16", 1.05},         {"Q8_0", 1.05},   {"Q4_0", 1.02},   {"Q4_1", 1.02},
    {"Q5_0", 1.05},   {"Q5_1", 1.05},         {"Q2_K", 1.02},   {"Q3_K_S", 1.02}, {"Q3_K_M", 1.02},
    {"Q3_K_L", 1.02}, {"Q4_K_S", 1.02},       {"Q4_K_M", 1.02}, {"Q5_K_S", 1.05}, {"Q5_K_M", 1.05},
    {"Q6_K", 1.05},   {"Q2_K_S", 1.02, true},
};

inline std::filesystem::path tiny_llama() {
  return std::filesystem::path(LQ_TEST_DATA) / "tiny-llama";
}

inline nlohmann::json golden_json(const std::string& name) {
  return nlohmann::json::parse(
      read_file(std::filesystem::path(LQ_TEST_DATA) / "tiny-llama-golden" / name));
}

/// Runs lq-quant-gguf into the scratch directory. Returns the paths it printed, one per type of a
/// comma-separated list.
inline std::vector<std::filesystem::path> quantized_files(
    const std::filesystem::path& model, const std::string& types, const ScratchDirectory& scratch,
    const std::vector<std::string>& options = {}) {
  Command command{{tool("lq-quant-gguf"), model.string(), "-q", "-t", types, "-o",
                   scratch.path() / "ours-{type}.gguf"},
                  {},
                  {}};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::vector<std::filesystem::path> paths;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) paths.emplace_back(line);
  return paths;
}

inline std::filesystem::path quantized(const std::filesystem::path& model, const std::string& type,
                                       const ScratchDirectory& scratch,
                                       const std::vector<std::string>& options = {}) {
  const auto paths = quantized_files(model, type, scratch, options);
  EXPECT_EQ(paths.size(), 1u);
  return paths.empty() ? std::filesystem::path() : paths.front();
}

/// An F32 GGUF of a model directory that shares no code with ours. REQUIRES: LQ_PEER_PYTHON is set.
inline std::filesystem::path reference_f32(const std::filesystem::path& model,
                                           const ScratchDirectory& scratch) {
  const std::filesystem::path out = scratch.path() / "reference-f32.gguf";
  const std::filesystem::path script =
      std::filesystem::path(LQ_TEST_DATA).parent_path() / "peers" / "hf2gguf.py";
  const Outcome outcome =
      run({{peer_path("LQ_PEER_PYTHON"), script, model.string(), out, "f32"}, {}, {}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return out;
}

/// The calibration texts as token lists, begin-of-text in front of each.
inline std::string calibration_tokens(const std::filesystem::path& gguf,
                                      const ScratchDirectory& scratch) {
  const std::string texts =
      std::filesystem::path(LQ_TEST_DATA) / "tiny-llama-golden" / "calibration.json";
  return scratch.write("calibration-ids.json",
                       llama_peer({"tokenize", gguf.string(), "--texts", texts, "--bos"}));
}

/// eval.txt cut into pieces of 255 tokens, begin-of-text in front of each.
inline std::string evaluation_windows(const std::filesystem::path& gguf,
                                      const ScratchDirectory& scratch) {
  const std::string text = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama-golden" / "eval.txt";
  const nlohmann::json all =
      nlohmann::json::parse(llama_peer({"tokenize", gguf.string(), "--file", text}));
  const nlohmann::json begin = golden_json("logits.json").front()["ids"].front();
  nlohmann::json windows = nlohmann::json::array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 255 == 0) windows.push_back({begin});
    windows.back().push_back(all[i]);
  }
  return scratch.write("evaluation-ids.json", windows.dump());
}

}  // namespace lq::testing
