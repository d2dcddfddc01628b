// Runs in processes of their own: killed, racing, stopped by signals, shards.

#include "tests/stage/child.h"

#include <gtest/gtest.h>
#include <random>

#include "common/io/file_status.h"
#include "common/stage/journal.h"
#include "common/stage/run_stage.h"
#include "tests/stage/toy.h"
#include "tests/support/wait_until.h"

namespace lq::stage::testing {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;
using lq::testing::wait_until;

constexpr std::size_t kUnits = 120;

int setting(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

// LQ_TOY_OUTPUT path, _THREADS, _SLEEP_MS per unit, _SHARD "K" of 3, _WAIT_S, _LIMIT_MS, _STUCK_MS
// for unit 5, _GRACE_MS after a stop request, _STARTED a file to make when a unit begins
TEST(Child, RunsTheToyAsItsEnvironmentSays) {
  const char* output = std::getenv("LQ_TOY_OUTPUT");
  if (output == nullptr) return;  // in the parent there is nothing to do
  const Plan plan = toy_plan(output, {.units = kUnits});
  install_signal_handlers();
  StageOptions options;
  options.n_threads = setting("LQ_TOY_THREADS", 2);
  if (setting("LQ_TOY_SHARD", 0) > 0) options.shard = Shard{setting("LQ_TOY_SHARD", 0), 3};
  if (setting("LQ_TOY_WAIT_S", 0) > 0) options.wait_seconds = setting("LQ_TOY_WAIT_S", 0);
  if (setting("LQ_TOY_LIMIT_MS", 0) > 0) {
    options.time_limit_seconds = setting("LQ_TOY_LIMIT_MS", 0) * 1e-3;
  }
  options.stop_grace_seconds = setting("LQ_TOY_GRACE_MS", 600'000) * 1e-3;
  options.abandon = [](const Interrupted& error) { ::_exit(static_cast<int>(error.exit_code())); };
  ToyWork work(plan);
  work.before = [](std::size_t unit) {
    if (const char* started = std::getenv("LQ_TOY_STARTED")) overwrite(started, "");
    sleep_ms(setting("LQ_TOY_SLEEP_MS", 2));
    if (unit == 5) sleep_ms(setting("LQ_TOY_STUCK_MS", 0));
  };
  ToyObserver observer;
  int code = 0;
  try {
    run_stage(plan, options, work, observer);
  } catch (const base::QuantizationError& error) {
    std::fprintf(stderr, "%s: %s\n", error.what(), error.why().c_str());
    code = static_cast<int>(error.exit_code());
  }
  ::_exit(code);
}

std::size_t journal_units(const std::filesystem::path& output) {
  return read_journal(output.string() + ".lq-journal").units.size();
}

// Until the child has recorded some units, or has ended.
void wait_for_units(pid_t pid, const std::filesystem::path& output, std::size_t units) {
  EXPECT_TRUE(wait_until([&] { return journal_units(output) >= units || has_ended(pid); }));
}

// Unit 5 takes longer than any test may.
constexpr const char* kNeverEnds = "LQ_TOY_STUCK_MS=900000";

// Lets a stopped process go on when it is told that this one waits for it.
struct Waker : ToyObserver {
  explicit Waker(pid_t stopped) : pid(stopped) {}
  void message(const std::string& text) override {
    ToyObserver::message(text);
    ::kill(pid, SIGCONT);
  }
  const pid_t pid;
};

class Processes : public ::testing::Test {
 protected:
  void expect_result() {
    EXPECT_EQ(read_file(output_), expected_file(toy_plan(output_, {.units = kUnits})));
    EXPECT_EQ(names_in(scratch_.path()), "x x.lq.json");
  }
  ScratchDirectory scratch_;
  std::filesystem::path output_ = scratch_.path() / "x";
};

TEST_F(Processes, KilledAtRandomMomentsEndWithTheSameBytes) {
  std::mt19937 random(20240607);
  int kills = 0;
  for (int code = 1; code != 0;) {
    const pid_t pid = start_child(output_, {"LQ_TOY_SLEEP_MS=4"});
    if (kills < 25) {
      wait_for_units(pid, output_, journal_units(output_) + random() % 6);
      ::kill(pid, SIGKILL);
    }
    code = wait_for(pid);
    ASSERT_TRUE(code == 0 || code == 128 + SIGKILL) << code;
    kills += code == 0 ? 0 : 1;
  }
  RecordProperty("kills", kills);
  EXPECT_GE(kills, 3);
  expect_result();
}

TEST_F(Processes, KillCostsAtMostTheUnitsThatWereNotRecorded) {
  const pid_t pid = start_child(output_, {"LQ_TOY_SLEEP_MS=10", kNeverEnds});
  wait_for_units(pid, output_, 20);
  ::kill(pid, SIGKILL);
  wait_for(pid);
  const std::size_t recorded = journal_units(output_);
  EXPECT_GE(recorded, 20U);
  const ToyRun run = run_toy(toy_plan(output_, {.units = kUnits}));
  EXPECT_EQ(run.units_run, kUnits - recorded);
  EXPECT_TRUE(run.observer.warnings.empty());
  expect_result();
}

TEST_F(Processes, ASecondRunIsToldWhoHoldsTheOutput) {
  const pid_t pid = start_child(output_, {kNeverEnds});
  wait_for_units(pid, output_, 1);
  const Plan plan = toy_plan(output_, {.units = kUnits});
  const auto error = error_of<base::BusyError>([&] { run_toy(plan); });
  EXPECT_EQ(error.what(), "cannot make " + output_.string());
  EXPECT_NE(error.why().find("another run is making it (pid " + std::to_string(pid) + " on "),
            std::string::npos);
  EXPECT_NE(error.why().find("lq-toy in -t q4_k_m"), std::string::npos);
  EXPECT_EQ(error.fix(), "let it finish, or wait for it with --wait");
  StageOptions dry;
  dry.dry_run = true;
  EXPECT_THROW(run_toy(plan, dry), base::BusyError);
  StageOptions short_wait;
  short_wait.wait_seconds = 0.3;
  EXPECT_THROW(run_toy(plan, short_wait), base::BusyError);
  ::kill(pid, SIGKILL);
  wait_for(pid);
  run_toy(plan);
  expect_result();
}

TEST_F(Processes, WaitingRunFindsTheResultUpToDate) {
  const pid_t pid = start_child(output_, {"LQ_TOY_SLEEP_MS=20"});
  wait_for_units(pid, output_, 1);
  ::kill(pid, SIGSTOP);
  Waker observer(pid);
  StageOptions options;
  options.wait_seconds = 600;
  const Plan plan = toy_plan(output_, {.units = kUnits});
  ToyWork work(plan);
  const StageReport report = run_stage(plan, options, work, observer);
  EXPECT_EQ(wait_for(pid), 0);
  EXPECT_EQ(report.status[0], ResultStatus::kUpToDate);
  EXPECT_NE(observer.messages.at(0).find("waiting for another run (pid "), std::string::npos);
  expect_result();
}

TEST_F(Processes, RacingRunsMakeOneResult) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    children.push_back(start_child(output_, {"LQ_TOY_SLEEP_MS=1", "LQ_TOY_WAIT_S=600"}));
  }
  for (const pid_t pid : children) EXPECT_EQ(wait_for(pid), 0);
  expect_result();
}

TEST_F(Processes, SignalsStoreTheCheckpointAndTellTheirCode) {
  for (const auto& [signal, code] : {std::pair(SIGHUP, 129), std::pair(SIGINT, 130),
                                     std::pair(SIGTERM, 143), std::pair(SIGUSR1, 75)}) {
    const std::size_t before = journal_units(output_);
    const pid_t pid = start_child(output_, {"LQ_TOY_SLEEP_MS=50"});
    wait_for_units(pid, output_, before + 3);
    ::kill(pid, signal);
    EXPECT_EQ(wait_for(pid), code);
    EXPECT_FALSE(io::file_status(output_.string() + ".lq-lock"));
  }
  EXPECT_GE(journal_units(output_), 12U);
  run_toy(toy_plan(output_, {.units = kUnits}));
  expect_result();
}

TEST_F(Processes, TimeLimitStopsWithItsCode) {
  EXPECT_EQ(wait_for(start_child(output_, {"LQ_TOY_SLEEP_MS=100", "LQ_TOY_LIMIT_MS=2000"})), 75);
  EXPECT_GE(journal_units(output_), 1U);
}

TEST_F(Processes, AbandonsAUnitThatDoesNotEnd) {
  const pid_t pid = start_child(output_, {kNeverEnds, "LQ_TOY_GRACE_MS=200"});
  wait_for_units(pid, output_, kUnits - 1);
  ::kill(pid, SIGTERM);
  EXPECT_EQ(wait_for(pid), 143);
  EXPECT_EQ(journal_units(output_), kUnits - 1);
  EXPECT_EQ(run_toy(toy_plan(output_, {.units = kUnits})).units_run, 1U);
  expect_result();
}

TEST_F(Processes, ASecondSignalEndsAtOnce) {
  // The journal is there a moment before the first unit, and a run without one ends at the first
  // signal.
  const std::filesystem::path started = scratch_.path() / "started";
  const pid_t pid =
      start_child(output_, {"LQ_TOY_SLEEP_MS=600000", "LQ_TOY_STARTED=" + started.string()});
  ASSERT_TRUE(wait_until([&] { return io::file_status(started) || has_ended(pid); }));
  ::kill(pid, SIGTERM);
  ASSERT_TRUE(wait_until([&] { return !is_pending(pid, SIGTERM); }));
  ::kill(pid, SIGINT);
  EXPECT_EQ(wait_for(pid), 130);
}

TEST_F(Processes, ShardsInThreeProcessesAndAFinisherMakeTheSameBytes) {
  std::vector<pid_t> children;
  for (int shard = 1; shard <= 3; ++shard) {
    children.push_back(start_child(output_, {"LQ_TOY_SHARD=" + std::to_string(shard)}));
  }
  ASSERT_TRUE(wait_until([&] {
    return !read_journal(output_.string() + ".lq-journal.2-of-3").units.empty() ||
           has_ended(children[1]);
  }));
  ::kill(children[1], SIGKILL);
  EXPECT_EQ(wait_for(children[0]), 0);
  wait_for(children[1]);
  EXPECT_EQ(wait_for(children[2]), 0);
  const ToyRun run = run_toy(toy_plan(output_, {.units = kUnits}));
  EXPECT_LE(run.units_run, kUnits / 3 + 2);
  EXPECT_TRUE(run.observer.warnings.empty());
  expect_result();
}

TEST_F(Processes, TheFinisherWaitsForShardsAndNamesThem) {
  const pid_t pid = start_child(output_, {"LQ_TOY_SHARD=2", "LQ_TOY_SLEEP_MS=50"});
  const std::filesystem::path journal = output_.string() + ".lq-journal.2-of-3";
  ASSERT_TRUE(wait_until([&] { return io::file_status(journal) || has_ended(pid); }));
  ::kill(pid, SIGSTOP);
  const Plan plan = toy_plan(output_, {.units = kUnits});
  const auto error = error_of<base::BusyError>([&] { run_toy(plan); });
  EXPECT_NE(error.why().find("pid " + std::to_string(pid)), std::string::npos);
  StageOptions same;
  same.shard = Shard{2, 3};
  EXPECT_THROW(run_toy(plan, same), base::BusyError);
  StageOptions other;
  other.shard = Shard{1, 3};
  EXPECT_EQ(run_toy(plan, other).report.status[0], ResultStatus::kShardDone);
  ::kill(pid, SIGCONT);
  EXPECT_EQ(wait_for(pid), 0);
}

}  // namespace
}  // namespace lq::stage::testing
