// Every sound result of our programs is the reference: all types of a GGUF, all numbers of bits, all
// ways to choose codes, with folded scales and without.

#include "tests/fidelity/results.h"

namespace lq::testing {
namespace {

/// What the limits leave. Not the limits themselves: a result that comes near them is to be noticed.
void expect_sound(const std::filesystem::path& result) {
  SCOPED_TRACE(result.filename());
  const Found found = found_of(tiny_llama(), result);
  EXPECT_TRUE(found.faults.empty()) << found.text();
  for (const fidelity::TensorError& error : found.comparison.tensors) {
    EXPECT_EQ(error.problem, "") << error.name;
    if (!error.storage.quantized()) continue;
    EXPECT_GT(error.cosine(), fidelity::least_cosine(error.storage.bits) + 0.05) << error.name;
    EXPECT_GT(error.gain(), fidelity::kLeastGain + 0.05) << error.name;
    EXPECT_LT(error.gain(), fidelity::kMostGain - 0.1) << error.name;
    EXPECT_LT(std::abs(error.mean_steps.value_or(0)), fidelity::kMostMeanSteps / 1.5) << error.name;
  }
}

TEST(SoundCli, EveryTypeOfGguf) {
  const ScratchDirectory scratch;
  std::string types = "F32";
  for (const FileTypeCase& row : kFileTypes) {
    if (!row.needs_importance) types += fmt::format(",{}", row.name);
  }
  const auto paths = quantized_files(tiny_llama(), types, scratch);
  EXPECT_EQ(paths.size(), 17U);
  for (const auto& path : paths) expect_sound(path);
}

TEST(SoundCli, CalibratedGguf) {
  const ScratchDirectory scratch;
  for (const auto& path : quantized_files(tiny_llama(), "Q2_K,Q2_K_S,Q3_K_M,Q4_K_M", scratch,
                                          {"--calibration", calibration_of_the_bundled_model()})) {
    expect_sound(path);
  }
}

class SoundGptqCli : public ::testing::TestWithParam<const char*> {};

TEST_P(SoundGptqCli, Passes) {
  const ScratchDirectory scratch;
  const std::string calibration = calibration_of_the_bundled_model();
  const auto expect = [&](const std::string& name, std::vector<std::string> options) {
    options.insert(options.end(), {"-b", GetParam()});
    expect_sound(made_by("lq-quant-gptq", options, tiny_llama(), scratch.path() / name));
  };
  expect("data-free", {"--data-free"});
  expect("minmax", {"--data-free", "--ranges", "minmax"});
  expect("one-pass", {"--desc-act", "--calibration", calibration});
  // The farthest from the reference: layers make up for others, and scales have one sign.
  expect("sequential", {"--sequential", "--scale-sign", "positive", "--calibration", calibration});
}

INSTANTIATE_TEST_SUITE_P(Bits, SoundGptqCli, ::testing::Values("2", "3", "4", "8"),
                         [](const auto& bits) { return "Bits" + std::string(bits.param); });

TEST(SoundCli, FoldedScales) {
  const ScratchDirectory scratch;
  const std::string calibration = calibration_of_the_bundled_model();
  for (const std::string format : {"awq", "compressed-tensors"}) {
    for (const std::string scale : {"grid", "smooth"}) {
      for (const std::string dtype : {"bf16", "f16"}) {
        expect_sound(made_by(
            "lq-quant-awq",
            {"--format", format, "--scale", scale, "--dtype", dtype, "--calibration", calibration},
            tiny_llama(), scratch.path() / (format + scale + dtype)));
      }
    }
  }
  expect_sound(made_by("lq-quant-awq",
                       {"--scale", "grid", "--round", "nearest", "--calibration", calibration},
                       tiny_llama(), scratch.path() / "nearest"));
}

/// Scales cost nothing where nothing else differs: the same rounding loses as much with them.
TEST(SoundCli, FoldedScalesCompareAsCleanlyAsNone) {
  const ScratchDirectory scratch;
  const std::string calibration = calibration_of_the_bundled_model();
  const auto errors = [&](const std::string& scale) {
    const auto result = made_by(
        "lq-quant-awq", {"--scale", scale, "--round", "nearest", "--calibration", calibration},
        tiny_llama(), scratch.path() / scale);
    return found_of(tiny_llama(), result).comparison.tensors;
  };
  const auto folded = errors("grid"), plain = errors("none");
  ASSERT_EQ(folded.size(), plain.size());
  int n_folded = 0;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (!folded[i].storage.quantized()) continue;
    EXPECT_LT(folded[i].relative_error(), 1.25 * plain[i].relative_error()) << folded[i].name;
    n_folded += folded[i].sums.ww != plain[i].sums.ww ? 1 : 0;
  }
  EXPECT_GT(n_folded, 30);  // of 42
}

}  // namespace
}  // namespace lq::testing
