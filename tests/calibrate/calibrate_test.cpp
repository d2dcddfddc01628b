// A calibration that another tool asks for.

#include "common/calibrate/calibrate.h"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "common/calibrate/plan.h"
#include "common/calibrate/unit.h"
#include "common/io/file_status.h"
#include "common/stage/output_lock.h"
#include "tests/support/scratch.h"

namespace lq::calibrate {
namespace {

namespace fs = std::filesystem;
using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;
using stage::ResultStatus;

const std::string kModel = LQ_TEST_DATA "/tiny-llama";

stage::StageOptions forced() {
  stage::StageOptions stage;
  stage.force = true;
  return stage;
}

stage::StageOptions dry() {
  stage::StageOptions stage;
  stage.dry_run = true;
  return stage;
}

class CalibrateTest : public ::testing::Test {
 protected:
  CalibrateTest() {
    nlohmann::json windows;
    for (int window = 0; window < 3; ++window) {
      for (int i = 0; i < 20; ++i) windows[window].push_back((i * 37 + window * 11) % 2000);
    }
    options_.tokens = scratch_.write("windows.json", windows.dump());
    options_.stats = "diag";
  }

  std::string path(const std::string& name) const { return scratch_.path() / name; }

  stage::StageReport run(const stage::StageOptions& stage = {}) {
    return calibrate(kModel, options_, path("calib"), stage,
                     {"1.2.3", "c0ffee", {"lq-quant", "model"}}, observer_);
  }

  /// What lq-calibrate would make.
  void run_plain(const std::string& name) {
    const auto job = make_job(kModel, options_, path(name), {}, observer_);
    CalibrateWork work(*job, observer_);
    stage::run_stage(job->plan, {}, work, observer_);
  }

  /// Of all files but the manifest, which tells times.
  std::map<std::string, std::string> files_of(const std::string& name) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(path(name))) {
      if (entry.path().filename() == "lq-manifest.json") continue;
      files[entry.path().filename()] = read_file(entry.path());
    }
    return files;
  }

  const ScratchDirectory scratch_;
  Options options_;
  stage::StageObserver observer_;
};

TEST_F(CalibrateTest, MakesTheFilesOfLqCalibrateAndThenFindsThemUpToDate) {
  run_plain("plain");
  const stage::StageReport made = run();
  EXPECT_EQ(made.status.front(), ResultStatus::kMade);
  EXPECT_EQ(made.paths.front(), path("calib"));
  EXPECT_GT(files_of("plain").size(), 2U);
  EXPECT_EQ(files_of("calib"), files_of("plain"));
  const auto manifest = nlohmann::json::parse(read_file(path("calib") + "/lq-manifest.json"));
  EXPECT_EQ(manifest["tool"], "lq-calibrate");
  EXPECT_EQ(manifest["version"], "1.2.3");
  EXPECT_EQ(manifest["commit"], "c0ffee");
  EXPECT_EQ(manifest["argv"], (nlohmann::json{"lq-quant", "model"}));
  EXPECT_EQ(run().status.front(), ResultStatus::kUpToDate);
}

TEST_F(CalibrateTest, IsNeitherForcedNorAShardAndWritesNoDepfile) {
  stage::StageOptions stage;
  stage.shard = {.index = 2, .count = 2};
  stage.depfile = path("calib.d");
  EXPECT_EQ(run(stage).status.front(), ResultStatus::kMade);
  EXPECT_FALSE(fs::exists(stage.depfile));
  stage.force = true;
  EXPECT_EQ(run(stage).status.front(), ResultStatus::kUpToDate);
}

TEST_F(CalibrateTest, WritesNothingInADryRun) {
  EXPECT_EQ(run(dry()).status.front(), ResultStatus::kPlanned);
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch_.path()), {}), 1);  // the windows
  run();
  EXPECT_EQ(run(dry()).status.front(), ResultStatus::kUpToDate);
}

TEST_F(CalibrateTest, IsNamedAfterTheModelByDefault) {
  const stage::StageReport report = calibrate(kModel, options_, "", dry(), {}, observer_);
  EXPECT_EQ(report.paths.front(), fs::absolute("tiny-llama-calib"));
}

TEST_F(CalibrateTest, LeavesACalibrationWithOtherOptionsAlone) {
  options_.compute = "f32";
  run_plain("calib");
  const auto before = files_of("calib");
  options_.compute = "bf16";
  for (const stage::StageOptions& stage : {dry(), forced()}) {
    const auto error = error_of<base::OutputError>([&] { run(stage); });
    EXPECT_EQ(error.what(), "cannot calibrate into " + path("calib"));
    EXPECT_EQ(error.why(),
              "a calibration of other inputs or options is there: option compute f32 -> bf16");
    EXPECT_EQ(error.fix(),
              "name a calibration with --calibration (lq-calibrate -o makes one in another place), "
              "or move this one away");
  }
  EXPECT_EQ(files_of("calib"), before);
}

TEST_F(CalibrateTest, LeavesADirectoryThatIsNoCalibrationAlone) {
  fs::create_directory(path("calib"));
  scratch_.write("calib/mine", "mine");
  const auto error = error_of<base::OutputError>([&] { run(forced()); });
  EXPECT_EQ(error.why(), "a directory is there that has no manifest of ours (lq-manifest.json)");
  EXPECT_EQ(read_file(path("calib/mine")), "mine");
}

TEST_F(CalibrateTest, LeavesAnUnfinishedCalibrationWithOtherOptionsAlone) {
  stage::request_stop(stage::StopReason::kTerminate);
  EXPECT_THROW(run(), stage::Interrupted);
  stage::request_stop(stage::StopReason::kNone);
  ASSERT_TRUE(fs::exists(path("calib.lq-journal")));
  options_.compute = "f32";
  const auto error = error_of<base::CheckpointError>([&] { run(forced()); });
  EXPECT_EQ(error.what(), "cannot continue the unfinished " + path("calib"));
  EXPECT_EQ(error.why(), "it was begun with other inputs or options: option compute bf16 -> f32");
  EXPECT_EQ(error.fix(),
            "name a calibration with --calibration (lq-calibrate -o makes one in another place), "
            "or move this one away");
}

TEST_F(CalibrateTest, IsMadeByOneOfSeveralShardsWhileTheOthersWait) {
  const stage::OutputLock lock(
      {.output = path("calib"), .path = path("calib.lq-lock"), .argv = {}});
  EXPECT_THROW(run(), base::BusyError);
  stage::StageOptions stage;
  stage.shard = {.index = 1, .count = 2};
  stage.time_limit_seconds = 0.2;
  EXPECT_THROW(run(stage), stage::Interrupted);
}

}  // namespace
}  // namespace lq::calibrate
