// The memory that a run of lq-calibrate plans for is what it takes at most.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/command.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using nlohmann::json;

TEST(CalibrationMemory, StaysWithinThePlan) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer takes memory of its own";
#endif
  const ScratchDirectory scratch;
  const std::string model = scratch.path() / "model";
  ASSERT_EQ(run({{tool("make_model"), model, "--layers", "1", "--hidden", "1024", "--ffn", "4096",
                  "--heads", "8", "--kv-heads", "8", "--vocab", "2048"},
                 {},
                 {}})
                .exit_code,
            0);
  json windows;
  for (int i = 0; i < 4096; ++i) windows[i / 256].push_back(i * 7 % 2048);
  const std::string tokens = scratch.write("windows.json", windows.dump());
  for (const std::string stats : {"full", "diag"}) {
    for (const std::string compute : {"bf16", "f32"}) {
      for (const std::string lanes : {"1", "4"}) {
        SCOPED_TRACE(fmt::format("{} {} {}", stats, compute, lanes));
        Command command{{tool("lq-calibrate"), model, "--tokens", tokens, "-o",
                         scratch.path() / "calib", "-qq", "--json", "--stats", stats, "--compute",
                         compute, "--lanes", lanes, "-j", "2", "--force"},
                        {},
                        {}};
        const json made = json::parse(run(command).out);
        command.arguments.emplace_back("--dry-run");
        const json planned = json::parse(run(command).out);
        EXPECT_LE(made["peak_rss"], planned["memory_bytes"]);
        EXPECT_LE(made["written_bytes"], planned["write_bytes"]);
      }
    }
  }
}

}  // namespace
}  // namespace lq::testing
