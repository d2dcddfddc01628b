#pragma once
// llama.cpp as the tests' judge, through the llama-peer program that tests/peers/setup.sh builds.
// Tests that need a peer begin with LQ_NEED_PEER(NAME), NAME being the variable that
// build/peers/env.sh sets for it.

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/command.h"

namespace lq::testing {

/// The value of a variable of build/peers/env.sh, empty when the peer is not there.
inline std::string peer_path(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}
inline bool peers_required() { return peer_path("LQ_REQUIRE_PEERS") == "1"; }

/// Peers that a machine may lack though peers are required; setup.sh has said so.
inline bool may_be_missing(std::string_view variable) {
  return variable == "LQ_PEER_PYTHON" || variable == "LQ_VLLM_PYTHON" || variable == "LQ_HF_PYTHON";
}

#define LQ_NEED_PEER(variable)                                                                   \
  do {                                                                                           \
    if (!::lq::testing::peer_path(variable).empty()) break;                                      \
    if (::lq::testing::peers_required() && !::lq::testing::may_be_missing(variable)) {           \
      FAIL() << variable " is not set, and LQ_REQUIRE_PEERS=1: run tests/peers/setup.sh";        \
    }                                                                                            \
    GTEST_SKIP() << variable " is not set: run tests/peers/setup.sh, then . build/peers/env.sh"; \
  } while (false)

/// Runs llama-peer; a failure fails the test with what it said. Returns its standard output.
std::string llama_peer(std::vector<std::string> arguments);
/// Its output as one JSON value per line.
std::vector<nlohmann::json> llama_peer_json(std::vector<std::string> arguments);

/// Name and type of each tensor of a GGUF file, in the file's order, as llama.cpp reads it.
std::vector<std::pair<std::string, std::string>> tensor_types(const std::filesystem::path& gguf);
/// The same as llama.cpp's quantizer would make it; `importance` "none" for none.
std::vector<std::pair<std::string, std::string>> planned_types(const std::filesystem::path& source,
                                                               const std::string& file_type,
                                                               const std::string& importance);

}  // namespace lq::testing
