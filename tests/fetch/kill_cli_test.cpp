// A fetch that is killed, and two at once.

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <random>
#include <signal.h>
#include <sys/stat.h>
#include <thread>

#include "tests/fetch/fetcher.h"
#include "tests/support/wait_until.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The files on their way into a directory, and since when bytes of them may have come that no
// journal names.
class Journals {
 public:
  explicit Journals(const fs::path& directory)
      : notes_(directory / ".cache/huggingface/download"), looked_(now()) {
    look();
    renewals_ = 0;
  }

  void look() {
    const double time = now();
    std::error_code none;  // a file may go while its directory is read
    for (const auto& entry : fs::directory_iterator(notes_, none)) {
      if (entry.path().extension() != ".incomplete") continue;
      File& file = files_.try_emplace(entry.path(), File{looked_, 0}).first->second;
      struct stat status = {};
      if (::stat(fs::path(entry.path()).replace_extension("journal").c_str(), &status) != 0)
        continue;
      const double written = static_cast<double>(status.st_mtim.tv_sec) +
                             1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
      if (written == file.written) continue;
      // It was begun after the one before it was there, and may have taken long to write.
      file.named_until = std::max(file.named_until, file.written);
      file.written = written;
      ++renewals_;
    }
    looked_ = time;
  }

  // How often any was written since this began to look.
  std::size_t renewals() const { return renewals_; }

  double unnamed_seconds(double end) const {
    double longest = 0;
    for (const auto& [path, file] : files_) {
      if (fs::exists(path)) longest = std::max(longest, end - file.named_until);
    }
    return longest;
  }

  // Bytes that they name now.
  std::size_t named_bytes() const {
    std::size_t bytes = 0;
    for (const auto& entry : fs::directory_iterator(notes_)) {
      if (entry.path().extension() != ".journal") continue;
      const json journal = json::parse(read_file(entry.path()));
      for (const json& range : journal["done"]) {
        bytes += range[1].get<std::size_t>() - range[0].get<std::size_t>();
      }
    }
    return bytes;
  }

 private:
  struct File {
    double named_until = 0;  // what came before is in the journal
    double written = 0;      // the journal
  };
  const fs::path notes_;
  double looked_;
  std::map<fs::path, File> files_;
  std::size_t renewals_ = 0;
};

// Five times ten kills: they wait for the clock, so that several can run beside each other.
class KillTest : public FetchTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(KillTest, TenKillsCostNoMoreThanWhatWasInFlight) {
  constexpr std::size_t kKills = 10;
  constexpr std::size_t kShard = 40'000'000, kRate = 4'000'000, kInFlight = 3 * 262'144;
  const Files model = hub_.add_model("org/model", 2, kShard);
  hub_.start();
  std::mt19937 random(20240611 + GetParam());
  std::uniform_real_distribution<double> moment(0, 1);
  std::size_t kills = 0, models = 0;
  while (kills < kKills) {
    const fs::path place = scratch_.path() / ("here-" + std::to_string(models++));
    const std::vector<std::string> arguments = {"org/model", "-o",     place, "--segment",
                                                "256K",      "--jobs", "3"};
    std::vector<std::string> paced = arguments;
    paced.insert(paced.end(), {"--limit-rate", std::to_string(kRate)});
    hub_.forget_requests();
    std::size_t kills_here = 0, allowed = 2 * (kShard + 1000);
    while (kills < kKills) {
      Journals journals(place);
      RunningCommand running(command(paced));
      // Twice: what a run may lose is then clearly less than what it brings.
      ASSERT_TRUE(wait_until([&] {
        journals.look();
        return journals.renewals() > 1 || running.ended();
      }));
      const double until = now() + moment(random);
      ASSERT_TRUE(wait_until([&] {
        journals.look();
        return now() >= until || running.ended();
      }));
      if (!running.ended()) running.signal(SIGKILL);
      const int code = running.wait();
      journals.look();
      ASSERT_TRUE(code == 0 || code == 128 + SIGKILL) << code;
      if (code == 0) break;
      ++kills, ++kills_here;
      allowed +=
          kInFlight + static_cast<std::size_t>(kRate * 1.1 * journals.unnamed_seconds(now()));
    }
    ASSERT_GE(kills_here, 1U) << "no journal was written before the whole model was there";
    const Outcome last = fetch(arguments);
    ASSERT_EQ(last.exit_code, 0) << last.err;
    ASSERT_EQ(files_in(place), model);
    EXPECT_LE(storage_bytes(), allowed) << kills_here << " kills";
    fs::remove_all(place);
  }
}

INSTANTIATE_TEST_SUITE_P(FiftyInAll, KillTest, ::testing::Range(0U, 5U));

TEST_F(FetchTest, AnInterruptedRunSaysSoAndGoesOn) {
  const Files model = hub_.add_model("org/model", 1, 30'000'000);
  hub_.start();
  const fs::path here = scratch_.path() / "here";
  const std::vector<std::string> arguments = {"org/model", "-o",     "here", "--segment",
                                              "256K",      "--jobs", "2"};
  std::vector<std::string> slow = arguments;
  slow.insert(slow.end(), {"--limit-rate", "1M"});
  std::size_t named = 0, signals = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    Journals journals(here);
    RunningCommand running(command(slow));
    ASSERT_TRUE(wait_until([&] {
      journals.look();
      return journals.renewals() > 0 || running.ended();
    }));
    running.signal(signal);
    EXPECT_EQ(running.wait(), 128 + signal);
    EXPECT_GT(journals.named_bytes(), named);
    named = journals.named_bytes();
    ++signals;
    EXPECT_LE(storage_bytes(), named + signals * (2 * 262'144 + 1))
        << "what came is named in the journal";
  }
  slow.insert(slow.end(), {"--time-limit", "1"});
  const Outcome timed = fetch(slow);
  EXPECT_EQ(timed.exit_code, 75) << timed.err;
  named = Journals(here).named_bytes();
  hub_.forget_requests();
  const Outcome last = fetch(arguments);
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_NE(last.err.find("resuming: "), std::string::npos) << last.err;
  EXPECT_EQ(files_in(here), model);
  EXPECT_LE(storage_bytes(), model.at("model.safetensors").size() - named + 1)
      << "and one byte, to see whether access is given";
}

TEST_F(FetchTest, OfTwoAtOnceOneWaitsOrSaysBusy) {
  const Files model = hub_.add_model("org/model", 2, 4'000'000);
  hub_.start();
  const fs::path lock =
      cache() / ".locks/models--org--model" / ("lq-" + std::string(kCommit) + ".lock");
  const fs::path log = scratch_.path() / "log";
  RunningCommand first(command({"org/model", "--limit-rate", "2M"}));
  ASSERT_TRUE(wait_until(
      [&] { return read_file(lock).find("org/model") != std::string::npos || first.ended(); }));
  first.signal(SIGSTOP);
  const Outcome busy = fetch({"org/model"});
  EXPECT_EQ(busy.exit_code, 10) << busy.err;
  EXPECT_NE(busy.err.find("lq-fetch org/model"), std::string::npos) << busy.err;
  RunningCommand second(command({"org/model", "--wait=600", "--log-file", log}));
  EXPECT_TRUE(wait_until([&] {
    return read_file(log).find("waiting for another run") != std::string::npos || second.ended();
  }));
  EXPECT_FALSE(second.ended());
  first.signal(SIGCONT);
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  EXPECT_EQ(files_in(snapshot("models--org--model")), model);
  EXPECT_NE(read_file(log).find("up to date"), std::string::npos) << read_file(log);
}

}  // namespace
}  // namespace lq::testing
