// A fetch that is killed, and two at once.

#include <chrono>
#include <gtest/gtest.h>
#include <random>
#include <signal.h>
#include <thread>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What a killed run had in flight, and what its journal, a second behind, did not name.
std::size_t allowed_again(std::size_t kills, std::size_t bytes_per_second, std::size_t in_flight) {
  return kills * (bytes_per_second * 11 / 10 + in_flight);
}

TEST_F(FetchTest, FiftyKillsCostNoMoreThanWhatWasInFlight) {
  constexpr std::size_t kShard = 12'000'000, kRate = 4'000'000, kSegment = 262'144, kJobs = 3;
  const Files model = hub_.add_model("org/model", 2, kShard);
  hub_.start();
  std::mt19937 random(20240611);
  std::uniform_real_distribution<double> moment(1.2, 2.4);
  std::size_t kills = 0, models = 0;
  while (kills < 50) {
    const std::string place = "here-" + std::to_string(models++);
    const Command one = command({"org/model", "-o", place, "--segment", "256K", "--jobs", "3",
                                 "--limit-rate", std::to_string(kRate)});
    hub_.forget_requests();
    std::size_t kills_here = 0;
    for (bool finished = false; !finished && kills < 50;) {
      RunningCommand running(one);
      std::this_thread::sleep_for(std::chrono::duration<double>(moment(random)));
      finished = running.ended();
      running.signal(SIGKILL);
      const int code = running.wait();
      ASSERT_TRUE(code == 0 || code == 128 + SIGKILL) << code;
      if (code != 0) ++kills, ++kills_here;
    }
    const Outcome last = run(one);
    ASSERT_EQ(last.exit_code, 0) << last.err;
    ASSERT_EQ(files_in(scratch_.path() / place), model);
    EXPECT_LE(storage_bytes(), 2 * kShard + allowed_again(kills_here, kRate, kJobs * kSegment))
        << kills_here << " kills";
    fs::remove_all(scratch_.path() / place);
  }
}

TEST_F(FetchTest, AnInterruptedRunSaysSoAndGoesOn) {
  const Files model = hub_.add_model("org/model", 1, 30'000'000);
  hub_.start();
  const Command slow = command({"org/model", "-o", "here", "--limit-rate", "4M"});
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    RunningCommand running(slow);
    std::this_thread::sleep_for(std::chrono::milliseconds(900));
    running.signal(signal);
    EXPECT_EQ(running.wait(), 128 + signal);
  }
  const Outcome timed = run([&] {
    Command limited = slow;
    limited.arguments.insert(limited.arguments.end(), {"--time-limit", "1"});
    return limited;
  }());
  EXPECT_TRUE(timed.exit_code == 75 || timed.exit_code == 0) << timed.err;
  hub_.forget_requests();
  const Outcome last = fetch({"org/model", "-o", "here"});
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_NE(last.err.find("resuming: "), std::string::npos) << last.err;
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
  EXPECT_LT(storage_bytes(), 25'000'000U) << "what came before the signals was kept";
}

TEST_F(FetchTest, OfTwoAtOnceOneWaitsOrSaysBusy) {
  const Files model = hub_.add_model("org/model", 2, 4'000'000);
  hub_.start();
  RunningCommand first(command({"org/model", "--limit-rate", "4M"}));
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  const Outcome busy = fetch({"org/model"});
  EXPECT_EQ(busy.exit_code, 10) << busy.err;
  EXPECT_NE(busy.err.find("lq-fetch org/model"), std::string::npos) << busy.err;
  const Outcome waited = fetch({"org/model", "--wait=60"});
  EXPECT_EQ(waited.exit_code, 0) << waited.err;
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(files_in(snapshot("models--org--model")), model);
}

}  // namespace
}  // namespace lq::testing
