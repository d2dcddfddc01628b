// vLLM and transformers load what lq-quant-gptq and lq-quant-awq write where these say that they do,
// with the perplexity that the project's own forward pass finds for the same directory, and refuse it where
// it says that they do not.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bench/judge/judge.h"
#include "common/calibration/token_file.h"
#include "common/subject/subject.h"
#include "tests/support/llama_peer.h"
#include "tests/support/scratch.h"

namespace lq::bench {
namespace {

using lq::testing::Outcome;
using lq::testing::peer_path;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;
using lq::testing::tool;
using nlohmann::json;

const std::filesystem::path kData = LQ_TEST_DATA;
const std::string kModel = kData / "tiny-llama";
const std::string kWindows = kData / "awq-gptq" / "eval.json";
constexpr std::size_t kUsedWindows = 4;

struct Row {
  std::string name;
  std::vector<std::string> options;
  std::string tool = "lq-quant-gptq";
};

/// What vLLM on a CPU loads.
const std::vector<Row> kLoaded = {
    {"gptq", {}},
    {"gptq-g32-positive", {"--group-size", "32", "--scale-sign", "positive"}},
    {"gptq-f16-files", {"--dtype", "f16", "--max-shard-size", "1M"}},
    {"gptq-head", {"--lm-head"}},
    {"gptq-rules", {"--skip", "layers\\.5\\.", "--override", "layers\\.0\\..*_proj=group:32"}},
    {"gptq-rows-desc-act", {"--group-size", "-1", "--desc-act"}},
    {"gptq-v2", {"--format", "gptq_v2"}},
    {"ct", {"--format", "compressed-tensors"}},
    {"ct-asym-files", {"--format", "compressed-tensors", "--asym", "--max-shard-size", "1M"}},
    {"ct-asym-head", {"--format", "compressed-tensors", "--asym", "--lm-head"}},
    {"ct-rules",
     {"--format", "compressed-tensors", "--group-size", "32", "--skip", "layers\\.5\\.",
      "--override", "layers\\.0\\..*_proj=group:128", "--override", "o_proj=group:-1"}},
    {"awq", {}, "lq-quant-awq"},
    {"awq-g32-smooth-f16",
     {"--group-size", "32", "--scale", "smooth", "--dtype", "f16"},
     "lq-quant-awq"},
    {"awq-g64-grid-sym", {"--group-size", "64", "--scale", "grid", "--sym"}, "lq-quant-awq"},
    {"awq-nearest-skip", {"--round", "nearest", "--skip", "layers\\.5\\."}, "lq-quant-awq"},
    {"awq-ct", {"--scale", "grid", "--format", "compressed-tensors"}, "lq-quant-awq"},
    {"awq-ct-g32-f16",
     {"--group-size", "32", "--dtype", "f16", "--format", "compressed-tensors"},
     "lq-quant-awq"},
};
/// What it refuses; some of it for its kernels alone, which on a GPU are others.
const std::vector<Row> kRefused = {
    {"gptq-asym", {"--asym"}},
    {"gptq-3-bits", {"--bits", "3"}},
    {"gptq-8-bits", {"--bits", "8"}},
    {"gptq-desc-act", {"--desc-act"}},
    {"ct-2-bits", {"--format", "compressed-tensors", "--bits", "2"}},
    {"ct-8-bits-asym", {"--format", "compressed-tensors", "--bits", "8", "--asym"}},
};
/// Rows of the tables above, by their names.
std::vector<Row> rows_named(const std::vector<std::string>& names) {
  std::vector<Row> rows;
  for (const std::string& name : names) {
    for (const std::vector<Row>& table : {kLoaded, kRefused}) {
      std::ranges::copy_if(table, std::back_inserter(rows),
                           [&](const Row& row) { return row.name == name; });
    }
    EXPECT_TRUE(!rows.empty() && rows.back().name == name) << "no row is named " << name;
  }
  return rows;
}

class RuntimesPeer : public ::testing::Test {
 protected:
  static Outcome run_tool(std::vector<std::string> arguments) {
    arguments.front() = tool(arguments.front());
    arguments.insert(arguments.end(), {"-qq", "-j", "1"});
    Outcome outcome = lq::testing::run({arguments, {}, {}});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome;
  }

  std::string path(const std::string& name) const { return scratch_.path() / name; }

  void quantize(const std::vector<Row>& rows) const {
    run_tool({"lq-calibrate", kModel, "--data", kData / "tiny-llama-golden" / "calibration.json",
              "--samples", "8", "--seq-len", "256", "-o", path("calib")});
    for (const Row& row : rows) {
      std::vector<std::string> arguments = {row.tool,      kModel,        "--calibration",
                                            path("calib"), "--effort",    "fast",
                                            "-o",          path(row.name)};
      arguments.insert(arguments.end(), row.options.begin(), row.options.end());
      run_tool(arguments);
    }
  }

  /// Lines of JSON, one for each model.
  static std::vector<json> answers_of(const Outcome& outcome) {
    std::vector<json> answers;
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) answers.push_back(json::parse(line));
    return answers;
  }
  std::vector<json> ask_vllm(const std::vector<Row>& rows) const {
    std::vector<std::string> arguments = {peer_path("LQ_VLLM_PYTHON"), "-B",
                                          LQ_TEST_SOURCE "/peers/vllm/vllm-peer.py"};
    for (const Row& row : rows) arguments.push_back(path(row.name));
    arguments.insert(arguments.end(), {kWindows, "--max-windows", std::to_string(kUsedWindows)});
    const Outcome outcome = lq::testing::run({arguments, {}, {}});
    EXPECT_TRUE(outcome.exit_code == 0 || outcome.exit_code == 3) << outcome.err << outcome.out;
    return answers_of(outcome);
  }
  json ask_transformers(const char* python, const Row& row) const {
    const Outcome outcome =
        lq::testing::run({{peer_path(python), "-B", LQ_TEST_SOURCE "/peers/vllm/hf-peer.py",
                           path(row.name), kWindows, "--max-windows", std::to_string(kUsedWindows)},
                          {},
                          {}});
    const std::vector<json> answers = answers_of(outcome);
    EXPECT_EQ(answers.size(), 1U) << outcome.err << outcome.out;
    return answers.empty() ? json() : answers.front();
  }

  /// What the manifest says of a runtime.
  bool is_said_to_load(const Row& row, const std::string& runtime) const {
    const json manifest = json::parse(read_file(path(row.name) + "/lq-manifest.json"));
    for (const json& verdict : manifest["result"]["runtimes"]) {
      if (verdict["name"] == runtime) return verdict["loads"];
    }
    ADD_FAILURE() << runtime << " is not in the manifest";
    return false;
  }

  void expect_our_perplexity(const Row& row, const json& answer) const {
    ASSERT_FALSE(answer.contains("refused")) << answer;
    ASSERT_FALSE(answer.contains("missing_keys")) << answer;
    ASSERT_FALSE(answer.contains("unexpected_keys")) << answer;
    const auto model = subject::open_subject(path(row.name));
    calibration::TokenWindows windows =
        calibration::read_tokens(kWindows, static_cast<std::size_t>(model->config().vocab));
    windows.offsets.resize(kUsedWindows + 1);
    windows.ids.resize(static_cast<std::size_t>(windows.offsets.back()));
    const Subject subject{model->config(), model->weights()};
    const double ours = Judge(subject, windows)(subject).perplexity;
    EXPECT_NEAR(answer["perplexity"].get<double>() / ours, 1, 0.01) << answer;
  }

  void expect_transformers_reads(const char* python, const std::vector<Row>& rows) const {
    quantize(rows);
    for (const Row& row : rows) {
      SCOPED_TRACE(row.name);
      EXPECT_TRUE(is_said_to_load(row, "transformers"));
      expect_our_perplexity(row, ask_transformers(python, row));
    }
  }

  const ScratchDirectory scratch_;
};

TEST_F(RuntimesPeer, VllmLoadsWhatItIsSaidToLoadAndRefusesTheRest) {
  LQ_NEED_PEER("LQ_VLLM_PYTHON");
  // One run for all: the library takes longer to start than such a model to run.
  std::vector<Row> rows = kLoaded;
  rows.insert(rows.end(), kRefused.begin(), kRefused.end());
  quantize(rows);
  const std::vector<json> answers = ask_vllm(rows);
  ASSERT_EQ(answers.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rows[i].name);
    ASSERT_EQ(answers[i]["model"], rows[i].name);
    const bool loads = i < kLoaded.size();
    EXPECT_EQ(is_said_to_load(rows[i], "vLLM on a CPU"), loads);
    if (loads) {
      expect_our_perplexity(rows[i], answers[i]);
    } else {
      EXPECT_TRUE(answers[i].contains("refused")) << answers[i];
    }
  }
}

TEST_F(RuntimesPeer, TransformersReadsCompressedTensors) {
  LQ_NEED_PEER("LQ_VLLM_PYTHON");  // which has transformers too
  expect_transformers_reads("LQ_VLLM_PYTHON",
                            rows_named({"ct-asym-files", "ct-rules", "awq-ct", "awq-ct-g32-f16",
                                        "ct-2-bits", "ct-8-bits-asym"}));
}

TEST_F(RuntimesPeer, TransformersReadsAwqOfEveryKind) {
  LQ_NEED_PEER("LQ_HF_PYTHON");
  expect_transformers_reads("LQ_HF_PYTHON", rows_named({"awq", "awq-g32-smooth-f16",
                                                        "awq-g64-grid-sym", "awq-nearest-skip"}));
}

TEST_F(RuntimesPeer, TransformersReadsGptqOfEveryKind) {
  LQ_NEED_PEER("LQ_HF_PYTHON");
  // Rules are left out: transformers reads none of GPTQ.
  std::vector<Row> rows =
      rows_named({"gptq", "gptq-v2", "gptq-asym", "gptq-3-bits", "gptq-8-bits", "gptq-desc-act"});
  rows.push_back({"gptq-2-bits", {"--bits", "2"}});
  rows.push_back({"gptq-v2-asym", {"--format", "gptq_v2", "--asym"}});
  expect_transformers_reads("LQ_HF_PYTHON", rows);
}

}  // namespace
}  // namespace lq::bench
