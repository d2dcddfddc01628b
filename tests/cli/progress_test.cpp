#include "common/cli/progress.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>

#include "tests/cli/toy_tool.h"

namespace lq::cli {
namespace {

/// A progress over a made-up clock, memory and screen.
class ProgressTest : public ::testing::Test {
 protected:
  Progress& make(ProgressStyle style, std::uint64_t memory_limit = 1000) {
    progress_ = std::make_unique<Progress>(
        "lq-toy", style, 80, memory_limit,
        Gauges{.seconds = [this] { return now_; },
               .memory_used = [this] { return used_; },
               .memory_free = [this] { return free_; }},
        console_,
        Progress::Hooks{
            .line = [this](const std::string& line) { lines_.push_back(line); },
            .warn = [this](const std::string& what,
                           const std::string& why) { warnings_.push_back(what + ": " + why); }});
    return *progress_;
  }
  int drawings() const {
    return static_cast<int>(std::count(screen_.begin(), screen_.end(), '\r'));
  }

  double now_ = 100;
  std::uint64_t used_ = 100, free_ = 100'000;
  std::string screen_;
  std::vector<std::string> lines_, warnings_;
  Console console_{[this](std::string_view text) { screen_ += text; }};
  const stage::Plan plan_ = toy_plan({100, 100, 200});
  std::unique_ptr<Progress> progress_;
};

TEST_F(ProgressTest, DrawsNothingInTheFirstHalfSecond) {
  Progress& progress = make(ProgressStyle::kBar);
  progress.start(plan_, 0);
  now_ += 0.4;
  progress.unit_done(0);
  EXPECT_EQ(screen_, "");
  now_ += 0.2;
  progress.tick();
  EXPECT_NE(screen_.find("1/3 [=>        ]  25%  layer 1/3  100/400 B"), std::string::npos)
      << screen_;
}

TEST_F(ProgressTest, DrawsAtMostTenTimesASecond) {
  Progress& progress = make(ProgressStyle::kBar);
  progress.start(plan_, 0);
  now_ += 1;
  progress.tick();
  EXPECT_EQ(drawings(), 1);
  now_ += 0.05;
  progress.tick();
  EXPECT_EQ(drawings(), 1);
  now_ += 0.06;
  progress.tick();
  EXPECT_EQ(drawings(), 2);
}

TEST_F(ProgressTest, ErasesTheBarAtTheEnd) {
  Progress& progress = make(ProgressStyle::kBar);
  progress.start(plan_, 0);
  now_ += 1;
  progress.tick();
  progress.finish();
  EXPECT_EQ(screen_.back(), '\r');
  const std::string before = screen_;
  now_ += 10;
  progress.tick();
  EXPECT_EQ(screen_, before);
}

TEST_F(ProgressTest, WritesALineAtTheStartAndEveryThirtySeconds) {
  Progress& progress = make(ProgressStyle::kLines);
  progress.start(plan_, 0);
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0], "3 units, 400 B to write");
  now_ += 29;
  progress.unit_done(0);
  EXPECT_EQ(lines_.size(), 1U);
  now_ += 1.5;
  progress.tick();
  ASSERT_EQ(lines_.size(), 2U);
  EXPECT_EQ(lines_[1],
            "1 of 3 units, layer 1 of 3, 100 B of 400 B, 3 B/s, 1:32 left, memory 100 B of 1000 B");
  EXPECT_EQ(screen_, "");
}

TEST_F(ProgressTest, SaysHowMuchIsKept) {
  Progress& progress = make(ProgressStyle::kLines);
  progress.start(plan_, 1);
  EXPECT_EQ(lines_.at(0), "2 units, 266 B to write, 1 units kept");
  EXPECT_EQ(progress.numbers().units_done, 1U);
}

TEST_F(ProgressTest, OfUnitsInTheirOrderKnowsWhichWereKept) {
  Progress& progress = make(ProgressStyle::kLines);
  stage::Plan plan = toy_plan({0, 10, 10, 10});
  plan.order = stage::Order::kSequential;
  plan.measure = stage::Measure::kTokens;
  for (std::size_t i = 1; i < 4; ++i) plan.units[i].tokens = 500;
  progress.start(plan, 2);
  EXPECT_EQ(lines_.at(0), "2 units, 500 tokens, 2 units kept");
  EXPECT_EQ(progress.numbers().amount, 1000U);
  now_ += 2;
  progress.advanced(500);
  EXPECT_DOUBLE_EQ(progress.numbers().seconds_left, 2);
  progress.unit_done(2);
  progress.unit_done(3);
  EXPECT_EQ(progress.numbers().amount_done, 1000U);
  progress.start(plan, 4);
  EXPECT_EQ(lines_.at(1), "0 units, 4 units kept");
}

TEST_F(ProgressTest, CountsTheUnitsOfItsShardOnly) {
  Progress& progress = make(ProgressStyle::kLines);
  progress.start(plan_, 0, stage::Shard{1, 2});
  EXPECT_EQ(lines_.at(0), "2 units, 200 B to write");
  progress.unit_done(0);
  EXPECT_EQ(progress.numbers().units_done, 1U);
  EXPECT_EQ(progress.numbers().units, 2U);
  EXPECT_EQ(progress.numbers().amount, 200U);
}

TEST_F(ProgressTest, EstimatesFromTheCostOfWhatIsDone) {
  Progress& progress = make(ProgressStyle::kNone);
  progress.start(plan_, 0);
  progress.unit_done(0);
  EXPECT_LT(progress.numbers().seconds_left, 0) << "a moment is no basis";
  now_ += 10;
  EXPECT_DOUBLE_EQ(progress.numbers().seconds_left, 30);
  EXPECT_DOUBLE_EQ(progress.numbers().amount_per_second, 10);
  progress.unit_done(1);
  progress.unit_done(2);
  EXPECT_DOUBLE_EQ(progress.numbers().seconds_left, 0);
  EXPECT_EQ(progress.numbers().amount_done, 400U);
}

TEST_F(ProgressTest, IsSilentWhenAskedTo) {
  Progress& progress = make(ProgressStyle::kNone);
  progress.start(plan_, 0);
  now_ += 100;
  progress.unit_done(0);
  EXPECT_TRUE(screen_.empty() && lines_.empty());
}

TEST_F(ProgressTest, WarnsOnceWhenTheMemoryLimitIsNear) {
  Progress& progress = make(ProgressStyle::kNone);
  progress.start(plan_, 0);
  used_ = 890;
  progress.tick();
  EXPECT_TRUE(warnings_.empty());
  used_ = 910;
  progress.tick();
  progress.tick();
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_EQ(warnings_[0],
            "memory is nearly used up: 910 B of the 1000 B that --memory allows are in use");
}

TEST_F(ProgressTest, WarnsWhenTheMachineIsNearlyFull) {
  Progress& progress = make(ProgressStyle::kNone, 0);
  progress.start(plan_, 0);
  used_ = 950;
  free_ = 40;
  progress.tick();
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_EQ(warnings_[0],
            "memory is nearly used up: 950 B are in use and the machine has 40 B left");
}

TEST_F(ProgressTest, DoesNothingOutsideARun) {
  Progress& progress = make(ProgressStyle::kBar);
  now_ += 10;
  progress.tick();
  progress.unit_done(0);
  progress.finish();
  EXPECT_EQ(screen_, "");
  EXPECT_EQ(progress.numbers().units, 0U);
}

TEST(MachineGauges, ReadThisProcess) {
  const Gauges gauges = machine_gauges();
  const double before = gauges.seconds();
  EXPECT_GE(gauges.seconds(), before);
  EXPECT_GT(gauges.memory_used(), 0U);
}

}  // namespace
}  // namespace lq::cli
