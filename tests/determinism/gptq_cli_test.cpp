// The bytes of a GPTQ directory, and what its manifest tells of every module, do not depend on
// threads, shards, or how often the run was killed.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>
#include <signal.h>
#include <thread>

#include "tests/determinism/directory_runs.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using Options = std::vector<std::string>;
using nlohmann::json;

constexpr std::size_t kLayers = 6, kLinears = 7 * kLayers;
const fs::path kData = LQ_TEST_DATA;

/// The bundled model, calibrated with eight windows of 96 tokens.
class Gptq : public DirectoryRuns {
 protected:
  void SetUp() override {
    const json all = json::parse(read_file(kData / "awq-gptq" / "calib.json"));
    json windows;
    for (std::size_t i = 0; i < 8; ++i) {
      const auto ids = all[i].get<std::vector<int>>();
      windows.push_back(std::vector(ids.begin(), ids.begin() + 96));
    }
    std::ofstream(path("windows.json")) << windows;
    const Outcome made = run({{tool("lq-calibrate"), kModel, "--tokens", path("windows.json"),
                               "-qq", "-o", path("calib")},
                              {},
                              {}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  Command quantize(const std::string& name, const Options& options = {}) const {
    Command command{
        {tool("lq-quant-gptq"), kModel, "--calibration", path("calib"), "-o", path(name)}, {}, {}};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    return command;
  }

  /// What may not differ: hashes of files, and the manifest's numbers of modules.
  struct Made {
    Files files;
    json modules, errors;
    bool operator==(const Made&) const = default;
  };

  Made made(const std::string& name, const Files& files) const {
    Made made{files, {}, {}};
    const json manifest = manifest_of(name);
    made.modules = manifest["result"]["modules"];
    for (json& module : made.modules) EXPECT_EQ(module.erase("seconds"), 1U);
    for (const char* key :
         {"output_error", "output_error_of_rounding", "solved_modules", "rounded_modules"}) {
      made.errors[key] = manifest["result"][key];
    }
    return made;
  }

  Made result_of(const std::string& name, const Command& command) const {
    const Files files = DirectoryRuns::result_of(name, command);
    return files.empty() ? Made() : made(name, files);
  }
  Made whole(Options options = {}) const {
    options.emplace_back("-q");
    return result_of("whole", quantize("whole", options));
  }

  /// Kills runs of `command` at random moments, each within `longest` seconds, until it was killed
  /// `wanted` times or is done. How often it was killed.
  int kill_often(const Command& command, double longest, int wanted) {
    std::uniform_real_distribution<double> seconds(0, longest);
    for (int kills = 0; kills < wanted; ++kills) {
      const auto end =
          std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds(random_));
      if (!end_when(command, [&] { return std::chrono::steady_clock::now() >= end; })) return kills;
    }
    return wanted;
  }

  /// Runs that were often killed, then brought to their end, make what an undisturbed one makes.
  void expect_same_after_kills(const Options& options, const Options& of_victim) {
    const auto start = std::chrono::steady_clock::now();
    Options all = options;
    all.insert(all.end(), {"-q", "-j", "1"});
    const Made wanted = result_of("whole", quantize("whole", all));
    const std::chrono::duration<double> full = std::chrono::steady_clock::now() - start;
    Options victim = all;
    victim.insert(victim.end(), of_victim.begin(), of_victim.end());
    int kills = 0;
    for (int file = 0; kills < kKills; ++file) {
      const std::string name = "killed-" + std::to_string(file);
      kills += kill_often(quantize(name, victim), 0.35 * full.count(), kKills - kills);
      EXPECT_EQ(result_of(name, quantize(name, all)), wanted) << name << " after " << kills;
      fs::remove_all(path(name));
    }
  }

// A sanitized run takes ten times as long, and finds what it finds in the first ones.
#ifdef __SANITIZE_ADDRESS__
  static constexpr int kKills = 5;
#else
  static constexpr int kKills = 20;
#endif

  const std::string kModel = kData / "tiny-llama";
  std::mt19937 random_{20240607};
};

TEST_F(Gptq, IsTheSameForOneTwoAndThreeThreads) {
  for (const Options& options : {Options{}, Options{"--desc-act", "--effort", "fast"},
                                 Options{"--format", "compressed-tensors", "--asym", "--bits", "3",
                                         "--group-size", "32", "--lm-head", "--effort", "fast"}}) {
    std::vector<Made> all;
    for (const char* threads : {"1", "2", "3"}) {
      Options with = options;
      with.insert(with.end(), {"-qq", "--force", "-j", threads});
      all.push_back(result_of("out", quantize("out", with)));
    }
    EXPECT_EQ(all[1], all[0]);
    EXPECT_EQ(all[2], all[0]);
  }
}

TEST_F(Gptq, InOrderIsTheSameForOneTwoAndThreeThreads) {
  std::vector<Made> all;
  for (const char* threads : {"1", "2", "3"}) {
    all.push_back(result_of("out", quantize("out", {"--sequential", "--effort", "fast", "-q",
                                                    "--force", "-j", threads})));
  }
  EXPECT_EQ(all[1], all[0]);
  EXPECT_EQ(all[2], all[0]);
}

TEST_F(Gptq, IsTheSameFromShardsAndAFinisher) {
  const Made wanted = whole();
  for (const Options& shards : {Options{"1/1"}, {"2/3", "1/3", "3/3"}}) {
    for (const std::string& shard : shards) {
      const Outcome outcome = run(quantize("out", {"-q", "--shard", shard, "-j", "1"}));
      ASSERT_EQ(outcome.exit_code, 0) << shard << ": " << outcome.err;
      EXPECT_EQ(outcome.out, part("out").string() + "\n");
      EXPECT_FALSE(fs::exists(path("out"))) << "shard " << shard << " must not finish";
    }
    EXPECT_EQ(result_of("out", quantize("out")), wanted) << shards[0];
    fs::remove_all(path("out"));
  }
}

TEST_F(Gptq, IsTheSameWhereAShardIsMissing) {
  const Made wanted = whole();
  ASSERT_EQ(run(quantize("out", {"-q", "--shard", "2/3"})).exit_code, 0);
  EXPECT_EQ(result_of("out", quantize("out")), wanted);
}

TEST_F(Gptq, TellsOfEveryModuleInTheManifest) {
  const Made one_pass = whole({"--lm-head"});
  ASSERT_EQ(one_pass.modules.size(), kLinears + 1);
  EXPECT_EQ(one_pass.errors["solved_modules"], kLinears + 1);
  EXPECT_EQ(one_pass.errors["rounded_modules"], 0);
  for (const json& module : one_pass.modules) {
    EXPECT_EQ(module["method"], "solved");
    EXPECT_EQ(module["bits"], 4);
    EXPECT_EQ(module["group_size"], 128);
    EXPECT_GT(module["error"], 0);
    EXPECT_LE(module["error"], module["error_of_rounding"]);
    EXPECT_LT(module["error_of_rounding"], 0.1);
    EXPECT_GT(module["saturation"], 0);
    EXPECT_EQ(module["damping"], 0.1);
    EXPECT_FALSE(module.contains("correction"));
    EXPECT_FALSE(module.contains("note"));
  }
  EXPECT_EQ(one_pass.modules.back()["module"], "lm_head");
  EXPECT_LT(one_pass.errors["output_error"], one_pass.errors["output_error_of_rounding"]);
  const Made in_order =
      result_of("out", quantize("out", {"--sequential", "--lm-head", "--effort", "fast", "-q"}));
  ASSERT_EQ(in_order.modules.size(), kLinears + 1);
  for (std::size_t i = 0; i < kLinears; ++i) {
    EXPECT_TRUE(in_order.modules[i].contains("correction")) << in_order.modules[i];
    EXPECT_LE(in_order.modules[i]["error"], in_order.modules[i]["error_of_rounding"]);
  }
  EXPECT_EQ(in_order.modules.back()["note"], "from the statistics of the original model");
}

TEST_F(Gptq, GoesOnWhereItWasToldToEnd) {
  const Made wanted = whole();
  ASSERT_TRUE(end_when(
      quantize("out", {"-j", "1"}), [&] { return lines_of(journal("out")) >= 35; }, SIGTERM));
  const Outcome outcome = run(quantize("out"));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("resuming: "), std::string::npos) << outcome.err;
  EXPECT_EQ(made("out", files_of("out")), wanted);
}

TEST_F(Gptq, InOrderCannotGoOnWithoutTheStatesThatEnterTheNextLayer) {
  const Options options = {"--sequential", "--effort", "fast", "-q", "-j", "1"};
  const Made wanted = whole(options);
  const fs::path scratch = part("out") / "scratch";
  const auto is_third_layer_done = [&] {
    return has_report_of("out", "model.layers.2.mlp.down_proj");
  };
  ASSERT_TRUE(end_when(quantize("out", options), is_third_layer_done));
  fs::remove_all(scratch);
  const Outcome outcome = run(quantize("out", options));
  EXPECT_EQ(outcome.exit_code, 7);
  EXPECT_NE(outcome.err.find("cannot go on with layer "), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("the hidden states that enter it are not in "), std::string::npos);
  EXPECT_NE(outcome.err.find("--no-resume"), std::string::npos) << outcome.err;
  Options anew = options;
  anew.emplace_back("--no-resume");
  EXPECT_EQ(result_of("out", quantize("out", anew)), wanted);
}

TEST_F(Gptq, IsTheSameAfterManyKills) { expect_same_after_kills({}, {}); }

TEST_F(Gptq, InOrderIsTheSameAfterManyKills) {
  expect_same_after_kills({"--sequential", "--effort", "fast"}, {});
}

TEST_F(Gptq, IsTheSameAfterManyKillsOfAShard) { expect_same_after_kills({}, {"--shard", "1/2"}); }

}  // namespace
}  // namespace lq::testing
