// What our quantizers write is sound.

#include <gtest/gtest.h>
#include <sstream>

#include "tests/soundness/shown.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

const std::string kModel = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama";

void expect_sound(const std::string& path) {
  const soundness::Soundness result = soundness::check(path, {.n_threads = 2});
  EXPECT_TRUE(result.is_sound()) << path << "\n" << shown(result);
  EXPECT_TRUE(result.has_manifest);
}

std::vector<std::string> made(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"-q", "--", kModel});
  const Outcome outcome = run({std::move(arguments), {}, {}});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::vector<std::string> paths;
  std::istringstream lines(outcome.out);
  for (std::string line; std::getline(lines, line);) paths.push_back(line);
  return paths;
}

TEST(OurResults, OfEveryGgufTypeAreSound) {
  const ScratchDirectory scratch;
  const auto paths = made({tool("lq-quant-gguf"), "-t",
                           "F32,F16,BF16,Q8_0,Q4_0,Q4_1,Q5_0,Q5_1,Q2_K,Q3_K_S,Q3_K_M,Q3_K_L,Q4_K_S,"
                           "Q4_K_M,Q5_K_S,Q5_K_M,Q6_K",
                           "-o", scratch.path() / "{type}.gguf"});
  EXPECT_EQ(paths.size(), 17u);
  for (const std::string& path : paths) expect_sound(path);
}

TEST(OurResults, InPartsAreSoundFromAnyPart) {
  const ScratchDirectory scratch;
  made({tool("lq-quant-gguf"), "-t", "Q8_0", "--split-max-size", "2M", "-o",
        scratch.path() / "split.gguf"});
  expect_sound(scratch.path() / "split-00002-of-00003.gguf");
}

TEST(OurResults, OfEveryDirectoryFormatAreSound) {
  const std::vector<std::vector<std::string>> options = {
      {"lq-quant-gptq", "-b", "2"},
      {"lq-quant-gptq", "-b", "3"},
      {"lq-quant-gptq", "-b", "4"},
      {"lq-quant-gptq", "-b", "8", "--lm-head"},
      {"lq-quant-gptq", "--asym"},
      {"lq-quant-gptq", "--asym", "--format", "gptq_v2", "-b", "3", "-g", "32"},
      {"lq-quant-gptq", "--format", "compressed-tensors", "--asym"},
      {"lq-quant-gptq", "--format", "compressed-tensors", "-b", "3", "-g", "-1"},
      {"lq-quant-gptq", "--lm-head", "--skip", "layers.0.*down_proj", "--override",
       "layers.1.*(gate|up)_proj=bits:8,group:64"},
      {"lq-quant-gptq", "--lm-head", "--skip", "layers.0.*down_proj", "--override",
       "layers.1.*(gate|up)_proj=bits:8,group:64", "--format", "compressed-tensors"},
      {"lq-quant-awq"},
      {"lq-quant-awq", "--sym", "-g", "64"},
      {"lq-quant-awq", "--format", "compressed-tensors"},
  };
  for (const std::vector<std::string>& one : options) {
    std::string name;
    for (const std::string& option : one) name += option + " ";
    SCOPED_TRACE(name);
    const ScratchDirectory scratch;
    std::vector<std::string> arguments = one;
    arguments.front() = tool(one.front());
    arguments.insert(arguments.end(), {"--data-free", "-o", scratch.path() / "out"});
    made(std::move(arguments));
    expect_sound(scratch.path() / "out");
  }
}

TEST(OurResults, OfCalibrationAreSound) {
  const ScratchDirectory scratch;
  const std::string calibration = scratch.path() / "calibration";
  made({tool("lq-calibrate"), "--samples", "16", "--seq-len", "256", "-o", calibration});
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--desc-act"}, {"--sequential", "--asym", "-b", "2"}}) {
    std::vector<std::string> arguments = {tool("lq-quant-gptq"), "--calibration", calibration, "-o",
                                          scratch.path() / options.front().substr(2)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    for (const std::string& path : made(std::move(arguments))) expect_sound(path);
  }
}

}  // namespace
}  // namespace lq::testing
