// What lq-quant-gptq loses on the bundled model, calibrated and judged on windows of token ids that
// are set apart for that, stays below fixed limits.

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "bench/judge/judge.h"
#include "common/calibration/token_file.h"
#include "common/subject/subject.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"

namespace lq::bench {
namespace {

using lq::testing::Outcome;
using lq::testing::ScratchDirectory;
using lq::testing::tool;

const std::filesystem::path kData = LQ_TEST_DATA;
const std::string kModel = kData / "tiny-llama";

struct Row {
  std::vector<std::string> options;
  double limit;  // of the divergence, in thousandths; groups of 128
};

/// The best of other programs, GPTQModel 7.6, has 11.3 at 4 bits, 51.0 at 3 bits asymmetric and 447
/// at 2 bits on these windows.
const std::vector<Row> kOnePass = {
    {{}, 11.3},
    {{"--effort", "best"}, 10.0},
    {{"--effort", "best", "--bits", "3", "--asym"}, 40},
    {{"--effort", "best", "--bits", "2"}, 232},
};
const std::vector<Row> kSequential = {
    {{"--sequential", "--effort", "best"}, 7.6},
    {{"--sequential", "--effort", "best", "--bits", "3", "--asym"}, 31},
    {{"--sequential", "--effort", "best", "--bits", "2"}, 150},
};

/// For people, and in messages: "--bits 2".
std::string text_of(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& option : options) text += option + " ";
  return text;
}

class GptqQuality : public ::testing::Test {
 protected:
  void SetUp() override {
    run({"lq-calibrate", kModel, "--tokens", kData / "awq-gptq" / "calib.json", "-o",
         scratch_.path() / "calib"});
  }

  static void run(std::vector<std::string> arguments) {
    arguments.front() = tool(arguments.front());
    arguments.insert(arguments.end(), {"-qq", "-j", "1"});
    const Outcome outcome = lq::testing::run({arguments, {}, {}});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  void expect_below_limits(const std::vector<Row>& rows) const {
    const auto original = subject::open_subject(kModel);
    const auto windows = calibration::read_tokens(
        kData / "awq-gptq" / "eval.json", static_cast<std::size_t>(original->config().vocab));
    const Judge judge({original->config(), original->weights()}, windows);
    for (const Row& row : rows) {
      SCOPED_TRACE(text_of(row.options));
      const std::string out = scratch_.path() / "out";
      std::vector<std::string> arguments = {"lq-quant-gptq",           kModel, "--calibration",
                                            scratch_.path() / "calib", "-o",   out};
      arguments.insert(arguments.end(), row.options.begin(), row.options.end());
      run(arguments);
      const auto quantized = subject::open_subject(out);
      const Judgement result = judge({quantized->config(), quantized->weights()});
      EXPECT_LE(1000 * result.kld_mean, row.limit);
      EXPECT_GT(1000 * result.kld_mean, row.limit / 2) << "too good to be true";
    }
  }

  const ScratchDirectory scratch_;
};

TEST_F(GptqQuality, OfOnePassIsWithinItsLimits) { expect_below_limits(kOnePass); }

TEST_F(GptqQuality, InTheOrderOfLayersIsWithinItsLimits) { expect_below_limits(kSequential); }

}  // namespace
}  // namespace lq::bench
