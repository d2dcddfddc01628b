// The bytes of a result do not depend on threads, shards, the instruction set, or how often the run
// was killed.

#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>
#include <signal.h>
#include <span>
#include <thread>

#include "common/io/digest.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;

/// About 60 MB of weights in many units.
class SameBytes : public ::testing::Test {
 protected:
  void SetUp() override {
    const Outcome made =
        run({{tool("make_model"), model(), "--layers", "6", "--hidden", "512", "--ffn", "1536",
              "--heads", "8", "--kv-heads", "2", "--vocab", "8192", "--shard-size", "20000000"},
             {},
             {}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }

  std::string model() const { return scratch_.path() / "model"; }
  fs::path output(const std::string& name) const { return scratch_.path() / (name + ".gguf"); }

  Command quantize(const std::string& name, std::vector<std::string> options = {}) const {
    Command command{
        {tool("lq-quant-gguf"), model(), "-q", "-t", "Q4_K_M", "-o", output(name).string()},
        {},
        {}};
    command.arguments.insert(command.arguments.end(), options.begin(), options.end());
    return command;
  }

  /// Runs to the end and returns the hash of what was made.
  std::string hash_of(const std::string& name, const Command& command) const {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    const std::string bytes = read_file(output(name));
    return io::sha256_hex(std::as_bytes(std::span(bytes)));
  }

  ScratchDirectory scratch_;
};

TEST_F(SameBytes, WithOneTwoAndThreeThreads) {
  const std::string one = hash_of("one", quantize("one", {"-j", "1"}));
  EXPECT_EQ(hash_of("two", quantize("two", {"-j", "2"})), one);
  EXPECT_EQ(hash_of("three", quantize("three", {"-j", "3"})), one);
}

TEST_F(SameBytes, WithEveryInstructionSet) {
  const std::string best = hash_of("best", quantize("best"));
  for (const std::string simd : {"scalar", "sse4", "avx2", "avx3"}) {
    Command command = quantize(simd);
    command.environment["LQ_SIMD"] = simd;
    EXPECT_EQ(hash_of(simd, command), best) << simd;
  }
}

TEST_F(SameBytes, FromThreeShardsAndAFinisher) {
  const std::string whole = hash_of("whole", quantize("whole"));
  for (const std::string shard : {"2/3", "1/3", "3/3"}) {
    const Outcome outcome = run(quantize("parts", {"--shard", shard}));
    ASSERT_EQ(outcome.exit_code, 0) << shard << ": " << outcome.err;
    EXPECT_FALSE(fs::exists(output("parts"))) << "shard " << shard << " must not finish the file";
  }
  EXPECT_EQ(hash_of("parts", quantize("parts")), whole);
}

TEST_F(SameBytes, WhenOneShardIsMissing) {
  const std::string whole = hash_of("whole", quantize("whole"));
  ASSERT_EQ(run(quantize("parts", {"--shard", "2/3"})).exit_code, 0);
  EXPECT_EQ(hash_of("parts", quantize("parts")), whole);
}

// A sanitized run takes ten times as long, and finds what it finds in the first ones.
#ifdef __SANITIZE_ADDRESS__
constexpr int kKills = 10;
#else
constexpr int kKills = 50;
#endif

TEST_F(SameBytes, AfterManyKills) {
  const auto start = std::chrono::steady_clock::now();
  const std::string whole = hash_of("whole", quantize("whole", {"-j", "1"}));
  const std::chrono::duration<double> full = std::chrono::steady_clock::now() - start;
  std::mt19937 random(20240607);
  std::uniform_real_distribution<double> moment(0.0, 0.9);
  int kills = 0;
  for (int file = 0; kills < kKills; ++file) {
    const std::string name = "killed-" + std::to_string(file);
    for (bool finished = false; !finished && kills < kKills;) {
      RunningCommand running(quantize(name, {"-j", "1"}));
      std::this_thread::sleep_for(full * moment(random));
      finished = running.ended();
      running.signal(SIGKILL);
      const int code = running.wait();
      ASSERT_TRUE(code == 0 || code == 128 + SIGKILL) << code;
      kills += code == 0 ? 0 : 1;
    }
    ASSERT_EQ(hash_of(name, quantize(name)), whole) << "file " << file << " after " << kills;
    fs::remove(output(name));
    fs::remove(output(name).string() + ".lq.json");
  }
}

}  // namespace
}  // namespace lq::testing
