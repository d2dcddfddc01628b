// Encoders of the types with a minimum, against the bytes of ggml's encoder in tests/data and
// against their own contract.

#include "common/codec/affine_encode.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <hwy/targets.h>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "common/base/errors.h"
#include "common/codec/affine_decode.h"
#include "common/io/input_file.h"

namespace lq::codec {
namespace {

struct Type {
  const char* name;
  std::int64_t block_elems, block_bytes;
  void (*encode)(const Rows&, std::byte*);
  void (*decode)(const std::byte*, float*, std::size_t);
  // Squared error over that of ggml's bytes for tests/data/gguf-codecs, without importance and
  // weighted with it.
  double plain_ratio, weighted_ratio;
};

constexpr Type kTypes[] = {
    {"Q2_K", 256, 84, encode_q2_k, decode_q2_k, 0.716, 0.929},
    {"Q4_K", 256, 144, encode_q4_k, decode_q4_k, 0.974, 0.939},
    {"Q5_K", 256, 176, encode_q5_k, decode_q5_k, 0.952, 0.886},
    {"Q4_1", 32, 20, encode_q4_1, decode_q4_1, 1.0, 0.979},
    {"Q5_1", 32, 24, encode_q5_1, decode_q5_1, 1.0, 0.963},
};

std::vector<std::byte> golden(const std::string& file) {
  const io::InputFile input(std::string(LQ_TEST_DATA) + "/gguf-codecs/" + file);
  std::vector<std::byte> bytes(input.size());
  input.read_at(0, bytes);
  return bytes;
}

std::vector<float> golden_floats(const std::string& file) {
  const auto bytes = golden(file);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

struct Matrix {
  std::vector<float> x;
  std::int64_t row_elems;
  std::vector<float> importance;  // empty: none

  std::int64_t n_rows() const { return static_cast<std::int64_t>(x.size()) / row_elems; }
  Rows rows(std::int64_t first, std::int64_t count) const {
    return {x.data() + first * row_elems, count, row_elems,
            importance.empty() ? nullptr : importance.data()};
  }
};

std::vector<std::byte> encode(const Type& type, const Matrix& matrix) {
  std::vector<std::byte> out(static_cast<std::size_t>(matrix.n_rows() * matrix.row_elems /
                                                      type.block_elems * type.block_bytes));
  type.encode(matrix.rows(0, matrix.n_rows()), out.data());
  return out;
}

std::vector<float> decode(const Type& type, const std::vector<std::byte>& blocks) {
  std::vector<float> values(blocks.size() / static_cast<std::size_t>(type.block_bytes) *
                            static_cast<std::size_t>(type.block_elems));
  type.decode(blocks.data(), values.data(), values.size());
  return values;
}

double squared_error(const Matrix& matrix, const std::vector<float>& decoded) {
  double sum = 0;
  for (std::size_t i = 0; i < matrix.x.size(); ++i) {
    const double e = static_cast<double>(decoded[i]) - matrix.x[i];
    const std::size_t column = i % static_cast<std::size_t>(matrix.row_elems);
    sum += e * e * (matrix.importance.empty() ? 1.0 : matrix.importance[column]);
  }
  return sum;
}

Matrix random_matrix(unsigned seed, std::int64_t n_rows, std::int64_t row_elems, bool weighted) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  Matrix matrix{std::vector<float>(static_cast<std::size_t>(n_rows * row_elems)), row_elems, {}};
  for (float& v : matrix.x) v = 0.02F * normal(engine) / (0.3F + std::fabs(normal(engine)));
  if (weighted) {
    std::lognormal_distribution<float> draw;
    matrix.importance.resize(static_cast<std::size_t>(row_elems));
    for (float& w : matrix.importance) w = draw(engine);
  }
  return matrix;
}

class AffineEncode : public ::testing::TestWithParam<Type> {
 protected:
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
  static bool has_super_blocks() { return GetParam().block_elems == 256; }
};

TEST_P(AffineEncode, ErrsLessThanGgmlAndByAsMuchAsBefore) {
  const Type& type = GetParam();
  Matrix matrix{golden_floats("x.f32"), 512, {}};
  for (const bool weighted : {false, true}) {
    if (weighted) matrix.importance = golden_floats("w.f32");
    const std::string suffix = weighted ? ".imp" : ".none";
    const double ours = squared_error(matrix, decode(type, encode(type, matrix)));
    const double theirs = squared_error(matrix, golden_floats(type.name + suffix + ".f32"));
    const double expected = weighted ? type.weighted_ratio : type.plain_ratio;
    EXPECT_LE(ours, theirs) << suffix;
    EXPECT_NEAR(ours / theirs, expected, 0.002) << suffix;
  }
}

TEST_P(AffineEncode, GivesGgmlsBytesWhereThereIsNoSearch) {
  if (has_super_blocks()) return;
  const Matrix matrix{golden_floats("x.f32"), 512, {}};
  EXPECT_TRUE(encode(GetParam(), matrix) == golden(std::string(GetParam().name) + ".none.bin"));
}

TEST_P(AffineEncode, BytesDependNeitherOnTargetNorOnHowRowsAreCut) {
  const Type& type = GetParam();
  for (std::int64_t blocks = 1; blocks <= 33; ++blocks) {
    const std::int64_t row_elems = 256 * (blocks % 3 + 1);
    for (const bool weighted : {false, true}) {
      const Matrix matrix =
          random_matrix(static_cast<unsigned>(blocks), blocks, row_elems, weighted);
      const auto whole = encode(type, matrix);
      const std::size_t row_bytes = whole.size() / static_cast<std::size_t>(matrix.n_rows());
      std::vector<std::byte> cut(whole.size());
      for (std::int64_t row = 0; row < matrix.n_rows(); ++row) {
        type.encode(matrix.rows(row, 1), cut.data() + static_cast<std::size_t>(row) * row_bytes);
      }
      EXPECT_TRUE(whole == cut) << blocks;
      for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
        hwy::SetSupportedTargetsForTest(target);
        EXPECT_TRUE(whole == encode(type, matrix)) << hwy::TargetName(target) << ' ' << blocks;
        hwy::SetSupportedTargetsForTest(0);
      }
    }
  }
}

TEST_P(AffineEncode, KeepsZerosAndGrids) {
  const Type& type = GetParam();
  Matrix matrix{std::vector<float>(512, 0.0F), 512, {}};
  for (const float v : decode(type, encode(type, matrix))) EXPECT_EQ(v, 0.0F);
  // Denormals are below what a float16 scale can say.
  for (std::size_t i = 0; i < 512; ++i) {
    matrix.x[i] = std::numeric_limits<float>::denorm_min() * static_cast<float>(i);
  }
  for (const float v : decode(type, encode(type, matrix))) EXPECT_EQ(v, 0.0F);
  // Values that the type holds exactly: codes 0..3 times 1/4, less 1/4.
  for (std::size_t i = 0; i < 512; ++i) matrix.x[i] = 0.25F * static_cast<float>(i % 4) - 0.25F;
  const auto decoded = decode(type, encode(type, matrix));
  for (std::size_t i = 0; i < 512; ++i) EXPECT_NEAR(decoded[i], matrix.x[i], 0.01F) << i;
}

TEST_P(AffineEncode, HoldsFlatRowsAndOneOutlier) {
  const Type& type = GetParam();
  for (const float level : {0.7F, -0.7F, 1e-6F, -1e-6F, 3000.0F, -3000.0F}) {
    const Matrix flat{std::vector<float>(512, level), 512, {}};
    for (const float v : decode(type, encode(type, flat))) {
      EXPECT_NEAR(v, level, 0.04F * std::fabs(level) + 1e-7F);  // a float16 step is 6e-8
    }
  }
  Matrix outlier = random_matrix(5, 1, 512, true);
  outlier.x[300] = 900.0F;
  const auto decoded = decode(type, encode(type, outlier));
  EXPECT_NEAR(decoded[300], 900.0F, 20.0F);
  for (const float v : decoded) EXPECT_TRUE(std::isfinite(v));
}

TEST_P(AffineEncode, KeepsWeightsOfColumnsWithoutImportance) {
  const Type& type = GetParam();
  Matrix matrix = random_matrix(8, 2, 512, true);
  const Matrix plain{matrix.x, 512, {}};
  for (std::size_t i = 0; i < 256; ++i) matrix.importance[i] = 0;
  const auto with_zeros = decode(type, encode(type, matrix));
  const double most = 3.0 * squared_error(plain, decode(type, encode(type, plain)));
  EXPECT_LT(squared_error(plain, with_zeros), most);
}

// Weights that were quantized to 4 bits once, as published models' sometimes were.
TEST_P(AffineEncode, FindsTheGridThatValuesLieOn) {
  const Type& type = GetParam();
  if (std::string(type.name) == "Q2_K") return;
  Matrix matrix = random_matrix(12, 4, 1024, true);
  std::mt19937 engine(13);
  for (std::size_t i = 0; i < matrix.x.size(); ++i) {
    const int code = i % 32 == 0 ? 0 : i % 32 == 31 ? 15 : static_cast<int>(engine() % 16);
    matrix.x[i] = 0.01F * static_cast<float>(1 + i / 32 % 3) * static_cast<float>(code - 8);
  }
  for (float& w : matrix.importance) w *= w;
  const Matrix zeros{std::vector<float>(matrix.x.size()), matrix.row_elems, matrix.importance};
  const double error = squared_error(matrix, decode(type, encode(type, matrix)));
  EXPECT_LT(error, 1e-6 * squared_error(matrix, zeros.x));
}

TEST_P(AffineEncode, ScaleOfImportanceDoesNotMatter) {
  const Type& type = GetParam();
  Matrix matrix = random_matrix(11, 2, 512, true);
  const auto blocks = encode(type, matrix);
  for (float& w : matrix.importance) w *= 0x1p-60F;
  EXPECT_TRUE(encode(type, matrix) == blocks);
}

TEST_P(AffineEncode, RefusesValuesBeyondFloat16Scales) {
  const Type& type = GetParam();
  for (const float value : {1e30F, -1e30F}) {
    Matrix matrix = random_matrix(9, 3, 512, false);
    matrix.x[700] = value;
    try {
      encode(type, matrix);
      FAIL() << "accepted " << value;
    } catch (const base::ConversionError& error) {
      const std::string columns = std::string(type.name) == "Q2_K" ? "176 to 191" : "160 to 191";
      EXPECT_EQ(error.what(),
                "cannot encode row 1, columns " + columns + " as " + std::string(type.name));
      EXPECT_NE(error.why().find("needs a block scale beyond 65504"), std::string::npos);
      EXPECT_NE(error.fix().find("--tensor-type"), std::string::npos);
    }
  }
}

TEST_P(AffineEncode, ValuesUpToTheLimitStayFinite) {
  const Type& type = GetParam();
  for (const float value : {-65504.0F, 65504.0F}) {
    for (const bool weighted : {false, true}) {
      Matrix matrix = random_matrix(9, 1, 512, weighted);
      for (std::size_t i = 0; i < matrix.x.size(); i += 5) matrix.x[i] = value;
      for (const float v : decode(type, encode(type, matrix))) EXPECT_TRUE(std::isfinite(v));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, AffineEncode, ::testing::ValuesIn(kTypes),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace lq::codec
