#include "common/quantizer/module_solver.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace lq::quantizer {
namespace {

constexpr std::size_t kRows = 8, kColumns = 32;
const hf::Scheme kScheme{4, 32, true};

/// Weights of one size with signs that change, under an H whose columns are related.
class Solver : public ::testing::Test {
 protected:
  Solver() {
    job_.directory.format = hf::find_format("compressed-tensors");
    job_.directory.float_dtype = tensor::DType::kBF16;
    module_.name = "m";
    module_.rows = kRows;
    module_.columns = kColumns;
    module_.scheme = kScheme;
  }

  tensor::QuantizedMatrix solve(float size) {
    linalg::AlignedVector<float> gram(kColumns * kColumns, 0.9F);
    for (std::size_t i = 0; i < kColumns; ++i) gram[i * kColumns + i] = 1;
    const solve::FactoredGram h(std::move(gram), kColumns, {}, false, 1);
    const auto read = [size](std::size_t first, std::size_t n, float* out) {
      for (std::size_t i = 0; i < n * kColumns; ++i) {
        out[i] = ((first * kColumns + i) * 7 % 16 < 8 ? size : -size) /
                 static_cast<float>(1 + (first + i) % 5);
      }
    };
    report_ = report_of(module_);
    return ModuleSolver(job_, 1).solve(module_, h, std::vector<double>(kColumns, 1), read, report_);
  }

  Job job_;
  hf::Module module_;
  ModuleReport report_;
};

TEST_F(Solver, RoundsWhereTheOutputErrorIsBeyondAllNumbers) {
  solve(1);
  EXPECT_EQ(report_.method, "solved");
  EXPECT_EQ(report_.note, "");
  const tensor::QuantizedMatrix matrix = solve(3e38F);
  EXPECT_EQ(report_.method, "rounded");
  EXPECT_EQ(report_.note, "its output error is beyond all numbers");
  for (const float scale : matrix.scales) EXPECT_TRUE(std::isfinite(scale));
}

}  // namespace
}  // namespace lq::quantizer
