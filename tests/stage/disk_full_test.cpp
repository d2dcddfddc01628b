// A disk that fills up although there seemed to be room: a small file system of its own, where
// mounting is allowed.

#include <cerrno>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "common/io/output_file.h"
#include "common/stage/preflight.h"
#include "common/stage/run_stage.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::error_of;
using lq::testing::ScratchDirectory;

class SmallDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::mount("tmpfs", scratch_.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
      GTEST_SKIP() << "no full disk was tried: this user may not mount one";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(scratch_.path().c_str(), MNT_DETACH);
  }
  ScratchDirectory scratch_;
  bool mounted_ = false;
};

TEST_F(SmallDisk, IsFoundTooSmallBeforeWork) {
  const Plan plan = toy_plan(scratch_.path() / "x", {.unit_bytes = 100'000});
  const auto error = error_of<base::OutputError>([&] { run_toy(plan); });
  EXPECT_NE(error.why().find("the disk is too small: 3.82 MiB are needed and "), std::string::npos)
      << error.why();
  EXPECT_EQ(names_in(scratch_.path()), "");
}

TEST_F(SmallDisk, FailedReservationTellsTheErrnoAndTheFix) {
  io::OutputFile file(scratch_.path() / "x");
  const auto error = error_of<base::OutputError>([&] { file.allocate(4 << 20); });
  EXPECT_EQ(error.what(), "cannot reserve 4.00 MiB for " + (scratch_.path() / "x").string());
  EXPECT_NE(error.why().find("No space left on device"), std::string::npos);
  EXPECT_NE(error.fix().find("df -h " + scratch_.path().string()), std::string::npos);
}

TEST_F(SmallDisk, WhatLiesInTheScratchFolderAlreadyCountsForIt) {
  Plan plan = toy_plan(scratch_.path() / "x", {.units = 1, .kind = ResultKind::kDirectory});
  ResultPlan& result = plan.results[0];
  result.scratch = "scratch";
  result.scratch_bytes = 900'000;
  result.files.push_back({"scratch/sums", kOpenSize, 0, true});
  const ResultPaths paths = paths_of(result, {});
  const std::vector<DiskNeed> needs = {{&result, &paths}};
  std::filesystem::create_directories(paths.part / "scratch/lane");
  overwrite(paths.part / "scratch/lane/states", std::string(600'000, 's'));
  check_disk(needs);
  overwrite(paths.part / "scratch/sums", std::string(300'000, 's'));
  EXPECT_THROW(check_disk(needs), base::OutputError) << "files of the plan count for themselves";
}

TEST_F(SmallDisk, JournalThatFindsNoRoomEndsTheRunWithTheCheckpointIntact) {
  std::filesystem::create_directory(scratch_.path() / "c");
  const ScratchDirectory roomy;
  const Plan plan = toy_plan(roomy.path() / "x", {.units = 400});
  StageOptions options;
  options.checkpoint_dir = scratch_.path() / "c";
  overwrite(scratch_.path() / "filler", std::string((1 << 20) - 16384, 'f'));
  const auto error = error_of<base::OutputError>([&] { run_toy(plan, options); });
  EXPECT_EQ(error.what(),
            "cannot write " + paths_of(plan.results[0], options.checkpoint_dir).journal.string());
  std::filesystem::remove(scratch_.path() / "filler");
  const ToyRun run = run_toy(plan, options);
  EXPECT_LT(run.units_run, 400U);
  EXPECT_EQ(lq::testing::read_file(roomy.path() / "x"), expected_file(plan));
}

}  // namespace
}  // namespace lq::stage::testing
