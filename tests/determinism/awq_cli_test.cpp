// The bytes of an AWQ directory do not depend on threads, shards, or a kill.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <signal.h>
#include <string>
#include <vector>

#include "tests/support/command.h"
#include "tests/support/scratch.h"
#include "tests/support/wait_until.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using Options = std::vector<std::string>;

class Awq : public ::testing::Test {
 protected:
  void SetUp() override {
    const Outcome made =
        run({{tool("lq-calibrate"), kModel, "--data", kData / "tiny-llama-golden/calibration.json",
              "--samples", "8", "--seq-len", "256", "-qq", "-o", path("calib")},
             {},
             {}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  std::string path(const std::string& name) const { return scratch_.path() / name; }

  Command quantize(const std::string& name, const Options& options) const {
    Command command{{tool("lq-quant-awq"), kModel, "--calibration", path("calib"), "--effort",
                     "fast", "-q", "-o", path(name)},
                    {},
                    {}};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    return command;
  }
  std::string weights(const std::string& name, const Options& options) const {
    const Outcome outcome = run(quantize(name, options));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.exit_code == 0 ? read_file(path(name) + "/model.safetensors") : "";
  }

  static inline const fs::path kData = LQ_TEST_DATA;
  static inline const std::string kModel = fs::path(LQ_TEST_DATA) / "tiny-llama";
  const ScratchDirectory scratch_;
};

TEST_F(Awq, IsTheSameForAnyNumberOfThreads) {
  for (const Options& options :
       {Options{"--scale", "grid"}, Options{"--scale", "smooth", "--sequential"}}) {
    Options one = options, three = options;
    one.insert(one.end(), {"-j", "1"});
    three.insert(three.end(), {"-j", "3"});
    EXPECT_TRUE(weights("one" + options[1], one) == weights("three" + options[1], three));
  }
}

TEST_F(Awq, IsTheSameFromShards) {
  const std::string whole = weights("whole", {"--scale", "auto"});
  for (const char* shard : {"2/3", "1/3", "3/3"}) {
    const Outcome outcome = run(quantize("sharded", {"--scale", "auto", "--shard", shard}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  EXPECT_TRUE(weights("sharded", {"--scale", "auto"}) == whole);
  EXPECT_EQ(read_file(path("sharded") + "/README.md"), read_file(path("whole") + "/README.md"));
}

TEST_F(Awq, IsTheSameAfterAKill) {
  for (const Options& options :
       {Options{"--scale", "grid"}, Options{"--scale", "grid", "--sequential"}}) {
    const std::string name = "killed" + std::to_string(options.size());
    const std::string whole = weights("whole" + name, options);
    const auto lines = [&] {
      const fs::path journal = path(name) + ".lq-journal";
      const std::string text = fs::exists(journal) ? read_file(journal) : "";
      return std::count(text.begin(), text.end(), '\n');
    };
    RunningCommand running(quantize(name, options));
    // After what is copied, in the middle of the layers.
    EXPECT_TRUE(wait_until([&] { return lines() > 9 || running.ended(); }));
    running.signal(SIGKILL);
    running.wait();
    EXPECT_TRUE(weights(name, options) == whole);
  }
}

}  // namespace
}  // namespace lq::testing
