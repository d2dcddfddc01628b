// The bytes of a calibration do not depend on threads, shards, or how often the run was killed.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include "tests/determinism/directory_runs.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kLayers = 5;
constexpr std::size_t kUnits = kLayers + 3;  // the head, and two files that are known beforehand

/// Thirteen windows in four lanes through five layers.
class Calibration : public DirectoryRuns {
 protected:
  void SetUp() override {
    const Outcome made =
        run({{tool("make_model"), path("model"), "--layers", std::to_string(kLayers), "--hidden",
              "256", "--ffn", "768", "--heads", "4", "--kv-heads", "2", "--vocab", "2048"},
             {},
             {}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    nlohmann::json windows;
    for (int window = 0; window < 13; ++window) {
      for (int i = 0; i < 100 + window; ++i)
        windows[window].push_back((i * i + 91 * window) % 2000);
    }
    std::ofstream(path("windows.json")) << windows;
  }

  Command calibrate(const std::string& name, std::vector<std::string> options = {}) const {
    Command command{
        {tool("lq-calibrate"), path("model"), "--tokens", path("windows.json"), "-o", path(name)},
        {},
        {}};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    return command;
  }

  Files whole() const { return result_of("whole", calibrate("whole", {"-q"})); }

  /// Whether hidden states are being written at this moment, below one of `folders`.
  static bool is_writing_states(const std::vector<fs::path>& folders) {
    std::error_code ignored;
    for (const fs::path& folder : folders) {
      for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (entry.path().filename().string().starts_with(".states")) return true;
      }
    }
    return false;
  }
  std::vector<fs::path> lane_folders(const std::string& name) const {
    std::vector<fs::path> folders;
    for (int lane = 0; lane < 4; ++lane) {
      folders.push_back(part(name) / "scratch" / ("lane-" + std::to_string(lane)));
    }
    return folders;
  }

  /// Runs until the journal has `lines` lines and kills it then; whether it was killed.
  static bool kill_at(const Command& command, const fs::path& journal, std::size_t lines) {
    return end_when(command, [&] { return lines_of(journal) >= lines; });
  }

  /// Kills a command that works on `name` until it was killed `wanted` times or is done; alternately
  /// behind the next recorded unit and in the middle of one. How often it was killed.
  int kill_often(const std::string& name, const Command& command, const fs::path& journal,
                 int wanted) const {
    int kills = 0;
    bool behind_unit = true, killed = true;
    while (killed && kills < wanted) {
      const std::size_t before = lines_of(journal);
      killed = end_when(command, [&] {
        const std::size_t now = lines_of(journal);
        return behind_unit ? now > before : now > 0 && is_writing_states(lane_folders(name));
      });
      kills += killed ? 1 : 0;
      behind_unit = !behind_unit;
    }
    return kills;
  }
};

TEST_F(Calibration, IsTheSameForOneTwoAndThreeThreads) {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--stats", "full", "--compute", "bf16"},
        {"--stats", "block", "--compute", "f32"}}) {
    std::vector<Files> made;
    for (const char* threads : {"1", "2", "3"}) {
      std::vector<std::string> all = {"-q", "--force", "-j", threads};
      all.insert(all.end(), options.begin(), options.end());
      made.push_back(result_of("out", calibrate("out", all)));
    }
    EXPECT_EQ(made[0].size(), kUnits);
    EXPECT_EQ(made[1], made[0]) << options[1];
    EXPECT_EQ(made[2], made[0]) << options[1];
  }
}

TEST_F(Calibration, IsTheSameFromShardsAndAFinisher) {
  const Files wanted = whole();
  for (const std::vector<std::string>& shards :
       {std::vector<std::string>{"1/1"}, {"2/3", "1/3", "3/3"}, {"4/4", "1/4", "2/4", "3/4"}}) {
    for (const std::string& shard : shards) {
      const Outcome outcome = run(calibrate("out", {"-q", "--shard", shard, "-j", "1"}));
      ASSERT_EQ(outcome.exit_code, 0) << shard << ": " << outcome.err;
      EXPECT_EQ(outcome.out, part("out").string() + "\n");
      EXPECT_FALSE(fs::exists(path("out"))) << "shard " << shard << " must not finish";
    }
    EXPECT_EQ(result_of("out", calibrate("out")), wanted) << shards[0];
    fs::remove_all(path("out"));
  }
}

TEST_F(Calibration, IsTheSameWhereAShardIsMissing) {
  const Files wanted = whole();
  ASSERT_EQ(run(calibrate("out", {"-q", "--shard", "2/3"})).exit_code, 0);
  EXPECT_EQ(result_of("out", calibrate("out")), wanted);
}

TEST_F(Calibration, IsTheSameWhereWhatShardsLeftIsGoneOrDamaged) {
  const Files wanted = whole();
  for (const char* shard : {"1/2", "2/2"}) {
    ASSERT_EQ(run(calibrate("out", {"-q", "--shard", shard})).exit_code, 0);
  }
  for (const fs::path& lane : lane_folders("out")) {
    ASSERT_TRUE(fs::remove(lane / ("states-00" + std::to_string(kLayers))));
  }
  fs::remove(lane_folders("out")[0] / "sums-000");
  fs::resize_file(lane_folders("out")[1] / "sums-002", 1000);
  std::fstream(lane_folders("out")[3] / "sums-003", std::ios::in | std::ios::out) << "damage";
  const Outcome outcome = run(calibrate("out"));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("shards have done 23 of 24 steps of lanes"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(files_of("out"), wanted);
}

TEST_F(Calibration, ThatWasToldToEndGoesOnWhereItWas) {
  const Files wanted = whole();
  ASSERT_TRUE(end_when(
      calibrate("out"), [&] { return lines_of(journal("out")) >= 4; }, SIGTERM));
  const std::size_t kept = lines_of(journal("out")) - 1;
  const Outcome planned = run(calibrate("out", {"-n"}));
  EXPECT_NE(planned.err.find(std::to_string(kept) + " units kept"), std::string::npos)
      << planned.err;
  const Outcome outcome = run(calibrate("out"));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("resuming: " + std::to_string(kept) + " of 8 units are kept"),
            std::string::npos)
      << outcome.err;
  EXPECT_EQ(files_of("out"), wanted);
}

TEST_F(Calibration, MakesADamagedLayerAgain) {
  const Files wanted = whole();
  ASSERT_TRUE(kill_at(calibrate("out"), journal("out"), 5));
  std::fstream(part("out") / "layer-000.safetensors.zst", std::ios::in | std::ios::out) << "damage";
  const Outcome outcome = run(calibrate("out"));
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("warning: making model.layers.0 again"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(files_of("out"), wanted);
}

TEST_F(Calibration, KeepsItsCheckpointWhereItIsToldTo) {
  const Files wanted = whole();
  fs::create_directory(path("checkpoints"));
  const Command command = calibrate("out", {"--checkpoint-dir", path("checkpoints")});
  const auto journal = [&] {
    const fs::directory_iterator entries(path("checkpoints"));
    return entries == fs::directory_iterator() ? fs::path("none") : entries->path();
  };
  ASSERT_TRUE(end_when(command, [&] { return lines_of(journal()) >= 4; }));
  EXPECT_FALSE(fs::exists(this->journal("out")));
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_NE(outcome.err.find("resuming: "), std::string::npos) << outcome.err;
  EXPECT_EQ(files_of("out"), wanted);
  EXPECT_TRUE(fs::is_empty(path("checkpoints")));
}

// A sanitized run takes ten times as long, and finds what it finds in the first ones.
#ifdef __SANITIZE_ADDRESS__
constexpr int kKills = 6;
#else
constexpr int kKills = 20;
#endif

TEST_F(Calibration, IsTheSameAfterManyKills) {
  const Files wanted = whole();
  int kills = 0;
  for (int run = 0; kills < kKills; ++run) {
    const std::string name = "killed-" + std::to_string(run);
    const Command command = calibrate(name, {"-q"});
    const int now = kill_often(name, command, journal(name), kKills - kills);
    ASSERT_GT(now, 0);
    kills += now;
    EXPECT_EQ(result_of(name, command), wanted) << name << " after " << kills;
  }
}

TEST_F(Calibration, IsTheSameAfterManyKillsOfAShard) {
  const Files wanted = whole();
  int kills = 0;
  for (int run = 0; kills < kKills; ++run) {
    const std::string name = "killed-" + std::to_string(run);
    const int now = kill_often(name, calibrate(name, {"-q", "--shard", "1/2"}),
                               path(name + ".lq-journal.1-of-2"), kKills - kills);
    ASSERT_GT(now, 0);
    kills += now;
    EXPECT_EQ(result_of(name, calibrate(name, {"-q"})), wanted) << name << " after " << kills;
  }
}

}  // namespace
}  // namespace lq::testing
