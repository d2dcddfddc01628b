#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "common/stage/layout.h"
#include "common/stage/run_stage.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::read_file;
using lq::testing::ScratchDirectory;

StageOptions shard(int index, int count) {
  StageOptions options;
  options.shard = Shard{index, count};
  return options;
}

TEST(CutByCost, GivesNeighboursOfAboutEqualCost) {
  std::vector<Unit> units(6);
  const std::vector<double> costs = {1, 1, 1, 1, 4, 4};
  for (std::size_t unit = 0; unit < 6; ++unit) units[unit].cost = costs[unit];
  EXPECT_EQ(cut_by_cost(units, 3), (std::vector{1, 1, 1, 1, 2, 3}));
  EXPECT_EQ(cut_by_cost(units, 1), (std::vector{1, 1, 1, 1, 1, 1}));
}

TEST(CutByCost, CutsEvenlyWithoutCostsAndLeavesShardsEmpty) {
  EXPECT_EQ(cut_by_cost(std::vector<Unit>(4), 2), (std::vector{1, 1, 2, 2}));
  EXPECT_EQ(cut_by_cost(std::vector<Unit>(1), 3), std::vector{2});
  EXPECT_TRUE(cut_by_cost({}, 3).empty());
}

class Shards : public ::testing::Test {
 protected:
  ScratchDirectory scratch_;
  Plan plan_ = toy_plan(scratch_.path() / "x", {.files = 2});
};

TEST_F(Shards, EachDoesItsPartAndTheFinisherOnlyAssembles) {
  std::size_t units = 0;
  for (const int index : {3, 1, 2}) {
    const ToyRun run = run_toy(plan_, shard(index, 3));
    EXPECT_EQ(run.report.status[0], ResultStatus::kShardDone);
    EXPECT_EQ(run.report.paths[0], scratch_.path() / "x.lq-part");
    EXPECT_TRUE(run.report.manifests[0].empty());
    units += run.units_run;
  }
  EXPECT_EQ(units, 40U);
  EXPECT_EQ(names_in(scratch_.path()),
            "x.1.lq-part x.lq-journal.1-of-3 x.lq-journal.2-of-3 x.lq-journal.3-of-3 x.lq-part");
  EXPECT_EQ(run_toy(plan_).units_run, 0U);
  EXPECT_EQ(names_in(scratch_.path()), "x x.1 x.lq.json");
  EXPECT_EQ(read_file(scratch_.path() / "x"), expected_file(plan_, 0, 0));
  EXPECT_EQ(read_file(scratch_.path() / "x.1"), expected_file(plan_, 0, 1));
  EXPECT_EQ(run_toy(plan_, shard(1, 3)).report.status[0], ResultStatus::kUpToDate);
}

TEST_F(Shards, LeaveAUnitThatConcludesToTheFinisher) {
  plan_.units.back().concluding = true;
  std::size_t units = 0;
  for (const int index : {1, 2}) units += run_toy(plan_, shard(index, 2)).units_run;
  EXPECT_EQ(units, 39U);
  EXPECT_EQ(run_toy(plan_).units_run, 1U);
  EXPECT_EQ(read_file(scratch_.path() / "x.1"), expected_file(plan_, 0, 1));
}

TEST_F(Shards, TheFinisherTakesShardsOfAnyCountAndMakesTheRest) {
  const std::size_t units = run_toy(plan_, shard(1, 2)).units_run;
  run_toy(plan_, shard(5, 5));
  EXPECT_LT(run_toy(plan_).units_run, 40 - units);
  EXPECT_EQ(read_file(scratch_.path() / "x"), expected_file(plan_, 0, 0));
}

TEST_F(Shards, AShardContinuesAndUsesWhatOthersDid) {
  run_partly(plan_, 20);
  EXPECT_EQ(run_toy(plan_, shard(1, 2)).units_run, 0U);
  run_partly(plan_, 5, shard(2, 2));
  EXPECT_LE(run_toy(plan_, shard(2, 2)).units_run, 16U);
  EXPECT_EQ(run_toy(plan_).units_run, 0U);
}

TEST_F(Shards, OtherOptionsAreRefused) {
  run_toy(plan_, shard(1, 3));
  const Plan other = toy_plan(scratch_.path() / "x", {.files = 2, .type = "q5_k_m"});
  EXPECT_THROW(run_toy(other, shard(2, 3)), base::CheckpointError);
  EXPECT_THROW(run_toy(other), base::CheckpointError);
}

TEST_F(Shards, TheFinisherRedoesDamagedUnitsOfShards) {
  run_toy(plan_, shard(1, 1));
  std::string part = read_file(scratch_.path() / "x.lq-part");
  part[0] ^= 1;
  overwrite(scratch_.path() / "x.lq-part", part);
  const ToyRun run = run_toy(plan_);
  EXPECT_EQ(run.units_run, 1U);
  EXPECT_EQ(run.observer.warnings.size(), 1U);
  EXPECT_EQ(read_file(scratch_.path() / "x"), expected_file(plan_, 0, 0));
}

}  // namespace
}  // namespace lq::stage::testing
