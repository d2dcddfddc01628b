#include "common/cli/run_observer.h"

#include <atomic>
#include <gtest/gtest.h>
#include <sstream>

#include "tests/cli/toy_tool.h"
#include "tests/support/scratch.h"
#include "tests/support/wait_until.h"

namespace lq::cli {
namespace {

class RunObserverTest : public ::testing::Test {
 protected:
  void run(int verbosity) {
    session_.verbosity = verbosity;
    session_.log_file = (scratch_.path() / "log").string();
    RunLog log("lq-toy", session_, false, console_);
    Progress progress("lq-toy", ProgressStyle::kLines, 80, 0, machine_gauges(), console_,
                      {.line = [&](const std::string& line) { log.message(line); }, .warn = {}});
    RunObserver observer(log, progress);
    stage::Plan plan = toy_plan({100, 200});
    plan.measure = measure_;
    for (stage::Unit& unit : plan.units) unit.tokens = 500;
    observer.message("resuming: 1 of 2 units kept");
    observer.planned(plan, 1);
    observer.unit_done(plan, 1, 0.25);
    stage::StageReport report;
    report.status = {stage::ResultStatus::kMade};
    report.seconds = 2;
    report.cpu_seconds = 3;
    report.read_bytes = 4096;
    report.written_bytes = 2048;
    report.peak_rss = 1 << 20;
    report.bound_by = "processor";
    observer.finished(plan, report);
  }

  testing::ScratchDirectory scratch_;
  stage::Measure measure_ = stage::Measure::kBytes;
  SessionOptions session_;
  std::string screen_;
  Console console_{[this](std::string_view text) { screen_ += text; }};
};

TEST_F(RunObserverTest, TellsStartAndEnd) {
  run(kNormal);
  EXPECT_EQ(screen_,
            "lq-toy: resuming: 1 of 2 units kept\n"
            "lq-toy: 1 units, 150 B to write, 1 units kept\n"
            "lq-toy: done in 2.0 s: read 4.00 KiB (2.00 KiB/s), wrote 2.00 KiB (1.00 KiB/s), "
            "processor 150 %, peak memory 1.00 MiB, bound by processor\n");
}

TEST_F(RunObserverTest, TellsTheRateOfAPlanThatCountsTokens) {
  stage::StageReport report;
  report.seconds = 2;
  EXPECT_EQ(summary_text(report, "450 tokens/s"),
            "done in 2.0 s: 450 tokens/s, read 0 B (0 B/s), wrote 0 B (0 B/s), processor 0 %, peak "
            "memory 0 B");
  measure_ = stage::Measure::kTokens;
  run(kNormal);
  EXPECT_NE(screen_.find(" tokens/s, read 4.00 KiB"), std::string::npos) << screen_;
}

TEST_F(RunObserverTest, TellsEveryUnitWhenVerbose) {
  run(kVerbose);
  EXPECT_NE(screen_.find("\n2 of 2: blk.1.ffn_up.weight in 0.25 s\n"), std::string::npos);
  EXPECT_EQ(screen_.find("available"), std::string::npos);
}

TEST_F(RunObserverTest, TellsTheDetailsOfEveryUnitWhenDebugging) {
  run(kDebug);
  EXPECT_NE(screen_.find("  200 B, available "), std::string::npos);
}

TEST_F(RunObserverTest, LogsPlanAndUnits) {
  run(kQuiet);
  EXPECT_EQ(screen_, "");
  std::istringstream lines(testing::read_file(scratch_.path() / "log"));
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) events.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[1]["ev"], "plan");
  EXPECT_EQ(events[1]["units"], 2);
  EXPECT_EQ(events[1]["units_kept"], 1);
  EXPECT_EQ(events[3]["ev"], "unit.done");
  EXPECT_EQ(events[3]["unit"], "blk.1.ffn_up.weight");
  EXPECT_EQ(events[3]["i"], 2);
  EXPECT_EQ(events[3]["n"], 2);
  EXPECT_EQ(events[3]["s"], 0.25);
  EXPECT_EQ(events[3]["bytes"], 200);
}

TEST_F(RunObserverTest, TicksInASecondRunToo) {
  RunLog log("lq-toy", session_, false, console_);
  std::atomic<int> ticks = 0;
  Gauges gauges = machine_gauges();
  gauges.memory_free = [&ticks] { return static_cast<std::uint64_t>(++ticks) << 40; };
  Progress progress("lq-toy", ProgressStyle::kNone, 80, 1 << 30, gauges, console_, {});
  RunObserver observer(log, progress);
  const stage::Plan plan = toy_plan({100});
  for (int run = 0; run < 2; ++run) {
    observer.planned(plan, 0);
    const int before = ticks;
    EXPECT_TRUE(testing::wait_until([&] { return ticks > before; }));
    observer.ended();
  }
}

TEST(ProgressStyleOf, FollowsTerminalAndOptions) {
  SessionOptions session;
  TerminalFacts pipe, terminal;
  terminal.redraws = true;
  EXPECT_EQ(progress_style(session, terminal), ProgressStyle::kBar);
  EXPECT_EQ(progress_style(session, pipe), ProgressStyle::kLines);
  session.progress = "always";
  EXPECT_EQ(progress_style(session, pipe), ProgressStyle::kBar);
  session.progress = "never";
  EXPECT_EQ(progress_style(session, terminal), ProgressStyle::kNone);
  session = {};
  session.verbosity = kQuiet;
  EXPECT_EQ(progress_style(session, terminal), ProgressStyle::kNone);
  session = {};
  session.log_format = "json";
  EXPECT_EQ(progress_style(session, terminal), ProgressStyle::kNone);
}

}  // namespace
}  // namespace lq::cli
