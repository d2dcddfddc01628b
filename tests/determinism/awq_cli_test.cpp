// The bytes of an AWQ directory do not depend on threads, shards, or a kill.

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/determinism/directory_runs.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using Options = std::vector<std::string>;

class Awq : public DirectoryRuns {
 protected:
  void SetUp() override {
    const Outcome made =
        run({{tool("lq-calibrate"), kModel, "--data", kData / "tiny-llama-golden/calibration.json",
              "--samples", "8", "--seq-len", "256", "-qq", "-o", path("calib")},
             {},
             {}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  Command quantize(const std::string& name, const Options& options) const {
    Command command{{tool("lq-quant-awq"), kModel, "--calibration", path("calib"), "--effort",
                     "fast", "-q", "-o", path(name)},
                    {},
                    {}};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    return command;
  }
  Files made(const std::string& name, const Options& options) const {
    return result_of(name, quantize(name, options));
  }

  static inline const fs::path kData = LQ_TEST_DATA;
  static inline const std::string kModel = fs::path(LQ_TEST_DATA) / "tiny-llama";
};

TEST_F(Awq, IsTheSameForAnyNumberOfThreads) {
  for (const Options& options :
       {Options{}, Options{"--scale", "grid"}, Options{"--scale", "smooth", "--sequential"}}) {
    std::vector<Files> all;
    for (const char* threads : {"1", "3"}) {
      Options with_threads = options;
      with_threads.insert(with_threads.end(), {"--force", "-j", threads});
      all.push_back(made("out", with_threads));
    }
    EXPECT_EQ(all[0], all[1]) << ::testing::PrintToString(options);
  }
}

TEST_F(Awq, IsTheSameFromShards) {
  const Files whole = made("whole", {"--scale", "auto"});
  for (const char* shard : {"2/3", "1/3", "3/3"}) {
    const Outcome outcome = run(quantize("sharded", {"--scale", "auto", "--shard", shard}));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }
  EXPECT_EQ(made("sharded", {"--scale", "auto"}), whole);
}

TEST_F(Awq, IsTheSameAfterAKillAmongTheLayers) {
  for (const Options& options :
       {Options{"--scale", "grid"}, Options{"--scale", "grid", "--sequential"}}) {
    const std::string name = "killed" + std::to_string(options.size());
    const Files whole = made("whole" + name, options);
    ASSERT_TRUE(end_when(quantize(name, options), [&] {
      return has_report_of(name, "model.layers.1.mlp.down_proj");
    })) << name;
    EXPECT_EQ(made(name, options), whole) << name;
  }
}

}  // namespace
}  // namespace lq::testing
