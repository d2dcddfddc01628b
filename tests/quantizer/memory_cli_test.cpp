// The memory that a run of lq-quant-awq plans for is what it takes at most, choosing scales included.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/command.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using nlohmann::json;

TEST(QuantizerMemory, StaysWithinThePlan) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer takes memory of its own";
#endif
  const ScratchDirectory scratch;
  const std::string model = scratch.path() / "model", calib = scratch.path() / "calib";
  ASSERT_EQ(run({{tool("make_model"), model, "--layers", "1", "--hidden", "512", "--ffn", "2048",
                  "--heads", "8", "--kv-heads", "8", "--vocab", "2048", "--norm-deviation", "3"},
                 {},
                 {}})
                .exit_code,
            0);
  json windows;
  for (int i = 0; i < 2048; ++i) windows[i / 256].push_back(i * 7 % 2048);
  const std::string tokens = scratch.write("windows.json", windows.dump());
  ASSERT_EQ(run({{tool("lq-calibrate"), model, "--tokens", tokens, "-o", calib, "-qq"}, {}, {}})
                .exit_code,
            0);
  for (const std::string scale : {"none", "smooth", "auto"}) {
    SCOPED_TRACE(scale);
    Command command{
        {tool("lq-quant-awq"), model, "--calibration", calib, "-o", scratch.path() / "out", "-qq",
         "--json", "-j", "2", "--force", "--effort", "fast", "--scale", scale},
        {},
        {}};
    const json made = json::parse(run(command).out);
    command.arguments.emplace_back("--dry-run");
    const json planned = json::parse(run(command).out);
    EXPECT_GT(made["peak_rss"], 0);
    EXPECT_LE(made["peak_rss"], planned["memory_bytes"]);
  }
}

TEST(QuantizerMemory, OfThePlanHasRoomForTrialsOfScales) {
  const ScratchDirectory scratch;
  const std::string model = scratch.path() / "model";
  // Hidden states of trials take more than the solver does where the layers are narrow.
  ASSERT_EQ(run({{tool("make_model"), model, "--layers", "1", "--hidden", "512", "--ffn", "512",
                  "--heads", "8", "--kv-heads", "8"},
                 {},
                 {}})
                .exit_code,
            0);
  const auto planned = [&](const std::string& scale) -> std::uint64_t {
    const Outcome outcome = run({{tool("lq-quant-awq"), model, "-o", scratch.path() / "out", "-qq",
                                  "--json", "--dry-run", "-j", "2", "--scale", scale},
                                 {},
                                 {}});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(outcome.out)["memory_bytes"];
  };
  EXPECT_GT(planned("auto"), planned("none") + 2048 * 512 * 3 * sizeof(float));
}

}  // namespace
}  // namespace lq::testing
