// What holds for every format of the table, and the worked examples of each.

#include "common/hf/format.h"

#include <cstring>
#include <gtest/gtest.h>

#include "tests/hf/stored_formats.h"

namespace lq::hf {
namespace {

using tensor::DType;
using tensor::QuantizedMatrix;
using testing::error_of;
using testing::module_of;
using testing::random_matrix;
using testing::ScratchDirectory;
using testing::stored;
using Words = std::vector<std::uint32_t>;

const Format& format_of(const char* name) { return *find_format(name); }

Words words_of(const std::vector<std::byte>& bytes) {
  Words words(bytes.size() / sizeof(std::uint32_t));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return words;
}

/// Eight inputs, sixteen outputs, codes (k + 3 n) mod 16, one group.
QuantizedMatrix example() {
  QuantizedMatrix m(16, 8, 0, 4);
  for (std::size_t n = 0; n < 16; ++n) {
    for (std::size_t k = 0; k < 8; ++k) {
      m.codes[n * 8 + k] = static_cast<std::uint8_t>((k + 3 * n) % 16);
    }
  }
  m.scales.assign(16, 0.5F);
  m.zeros = {8, 7, 6, 5, 4, 3, 2, 1, 9, 15, 14, 13, 12, 11, 10, 9};
  return m;
}

const Words kExampleWords = {0x76543210, 0xA9876543, 0xDCBA9876, 0x0FEDCBA9, 0x3210FEDC, 0x6543210F,
                             0x98765432, 0xCBA98765, 0xFEDCBA98, 0x210FEDCB, 0x543210FE, 0x87654321,
                             0xBA987654, 0xEDCBA987, 0x10FEDCBA, 0x43210FED};
constexpr Scheme kRow4{.bits = 4, .group_size = 0, .symmetric = false};

TEST(GptqFormat, PacksCodesAlongTheInputs) {
  const auto data = format_of("gptq").encode(example(), kRow4, DType::kBF16, 1);
  EXPECT_EQ(words_of(data[0]), kExampleWords);
  EXPECT_EQ(words_of(data[2]), Words(8, 0));
  ASSERT_EQ(data[3].size(), 32U);
  EXPECT_EQ(data[3][1], std::byte{0x38});  // 0.5 as F16 is 0x3800
}

TEST(GptqFormat, StoresZeroPointsLessOneInTheFirstVersionOnly) {
  EXPECT_EQ(words_of(format_of("gptq").encode(example(), kRow4, DType::kBF16, 1)[1]),
            (Words{0x01234567, 0x89ABCDE8}));
  EXPECT_EQ(words_of(format_of("gptq_v2").encode(example(), kRow4, DType::kBF16, 1)[1]),
            (Words{0x12345678, 0x9ABCDEF9}));
}

TEST(GptqFormat, OfASymmetricGridHasTheSameZeroPointEverywhere) {
  const auto zeros = [](const char* format, int bits) {
    const Scheme scheme{.bits = bits, .group_size = 0, .symmetric = true};
    const QuantizedMatrix m = random_matrix(32, 32, scheme, 1);
    return words_of(format_of(format).encode(m, scheme, DType::kBF16, 1)[1]);
  };
  EXPECT_EQ(zeros("gptq", 4), Words(4, 0x77777777));
  EXPECT_EQ(zeros("gptq_v2", 4), Words(4, 0x88888888));
  EXPECT_EQ(zeros("gptq", 8), Words(8, 0x7F7F7F7F));
  EXPECT_EQ(zeros("gptq_v2", 8), Words(8, 0x80808080));
  EXPECT_EQ(zeros("gptq", 2), Words(2, 0x55555555));
  EXPECT_EQ(zeros("gptq_v2", 2), Words(2, 0xAAAAAAAA));
  EXPECT_EQ(zeros("gptq", 3), (Words{0xDB6DB6DB, 0xB6DB6DB6, 0x6DB6DB6D}));
  EXPECT_EQ(zeros("gptq_v2", 3), (Words{0x24924924, 0x49249249, 0x92492492}));
}

TEST(GptqFormat, PacksThreeBitsAcrossWords) {
  const Scheme scheme{.bits = 3, .group_size = 0, .symmetric = true};
  QuantizedMatrix m = random_matrix(32, 32, scheme, 1);
  for (std::size_t k = 0; k < 32; ++k) {
    m.codes[k] = static_cast<std::uint8_t>((5 * k + 1) % 8);  // of output 0
    m.codes[32 + k] = static_cast<std::uint8_t>(k % 8);       // of output 1
  }
  const Words words = words_of(format_of("gptq").encode(m, scheme, DType::kBF16, 1)[0]);
  ASSERT_EQ(words.size(), 3 * 32U);
  EXPECT_EQ((Words{words[0], words[32], words[64]}), (Words{0xF19D50F1, 0x50F19D50, 0x9D50F19D}));
  EXPECT_EQ((Words{words[1], words[33], words[65]}), (Words{0x88FAC688, 0xC688FAC6, 0xFAC688FA}));
}

TEST(GptqFormat, WritesTheGroupOfEachInput) {
  const Scheme scheme{.bits = 4, .group_size = 32, .symmetric = true};
  QuantizedMatrix m = random_matrix(32, 64, scheme, 1);
  Words index = words_of(format_of("gptq").encode(m, scheme, DType::kBF16, 1)[2]);
  for (std::size_t k = 0; k < 64; ++k) EXPECT_EQ(index[k], k / 32);
  for (int k = 0; k < 64; ++k) m.group_of.push_back(k % 2);
  const auto data = format_of("gptq").encode(m, scheme, DType::kBF16, 1);
  index = words_of(data[2]);
  for (std::size_t k = 0; k < 64; ++k) EXPECT_EQ(index[k], k % 2);
  const ScratchDirectory scratch;
  const auto source =
      stored(scratch, format_of("gptq").tensors(module_of(m, scheme), DType::kBF16), data);
  EXPECT_EQ(format_of("gptq").decode(*source, "m", scheme).group_of, m.group_of);
}

TEST(CompressedTensorsFormat, PacksCodesAlongTheInputsRowByRow) {
  const auto data = format_of("compressed-tensors").encode(example(), kRow4, DType::kBF16, 1);
  EXPECT_EQ(words_of(data[0]), (Words{16, 0, 8, 0}));
  EXPECT_EQ(words_of(data[1]), kExampleWords);
  EXPECT_EQ(words_of(data[2]), (Words{0x12345678, 0x9ABCDEF9}));
  EXPECT_EQ(data[3].size(), 32U);
  EXPECT_EQ(data[3][1], std::byte{0x3F});  // 0.5 as BF16 is 0x3F00
}

TEST(CompressedTensorsFormat, PacksThreeBitsAsADenseStreamAndPadsWithZero) {
  const Scheme scheme{.bits = 3, .group_size = 0, .symmetric = true};
  QuantizedMatrix m = random_matrix(2, 33, scheme, 0);
  for (std::size_t k = 0; k < 33; ++k) {
    m.codes[k] = static_cast<std::uint8_t>((5 * k + 1) % 8);
    m.codes[33 + k] = 7;
  }
  EXPECT_EQ(words_of(format_of("compressed-tensors").encode(m, scheme, DType::kF16, 1)[1]),
            (Words{0xF19D50F1, 0x50F19D50, 0x9D50F19D, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 7}));
}

TEST(CompressedTensorsFormat, HasZeroPointsOnlyOfAnAsymmetricGrid) {
  Module module{.name = "m", .rows = 48, .columns = 64, .scheme = Scheme{4, 32, true}};
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& spec : format_of("compressed-tensors").tensors(module, DType::kF16)) {
      all.push_back(spec.name);
    }
    return all;
  };
  EXPECT_EQ(names(),
            (std::vector<std::string>{"m.weight_shape", "m.weight_packed", "m.weight_scale"}));
  module.scheme->symmetric = false;
  EXPECT_EQ(names(), (std::vector<std::string>{"m.weight_shape", "m.weight_packed",
                                               "m.weight_zero_point", "m.weight_scale"}));
  const auto specs = format_of("compressed-tensors").tensors(module, DType::kF16);
  EXPECT_EQ(specs[2].shape, (tensor::Shape{6, 2}));
  EXPECT_EQ(specs[3].shape, (tensor::Shape{48, 2}));
  EXPECT_EQ(specs[3].dtype, DType::kF16);
}

TEST(AwqFormat, PacksEightOutputsInItsOrder) {
  const auto data = format_of("awq").encode(example(), kRow4, DType::kBF16, 1);
  EXPECT_EQ(words_of(data[0]),
            (Words{0x5F932C60, 0xD71BA4E8, 0x60A43D71, 0xE82CB5F9, 0x71B54E82, 0xF93DC60A,
                   0x82C65F93, 0x0A4ED71B, 0x93D760A4, 0x1B5FE82C, 0xA4E871B5, 0x2C60F93D,
                   0xB5F982C6, 0x3D710A4E, 0xC60A93D7, 0x4E821B5F}));
  QuantizedMatrix m = example();
  m.zeros[8] = 0;
  EXPECT_EQ(words_of(format_of("awq").encode(m, kRow4, DType::kBF16, 1)[1]),
            (Words{0x13572468, 0x9BDFACE0}));
}

TEST(Formats, ReadBackWhatTheyWrite) {
  for (const Format* format : formats()) {
    for (const int bits : format->bits) {
      for (const bool symmetric : {true, false}) {
        for (const std::size_t group : {0, 32}) {
          const Scheme scheme{bits, group, symmetric};
          const QuantizedMatrix m = random_matrix(96, 160, scheme, format->lowest_zero);
          const ScratchDirectory scratch;
          const auto specs = format->tensors(module_of(m, scheme), DType::kBF16);
          const auto data = format->encode(m, scheme, DType::kBF16, 2);
          ASSERT_EQ(data.size(), specs.size());
          for (std::size_t i = 0; i < specs.size(); ++i) {
            EXPECT_EQ(data[i].size(), specs[i].n_bytes()) << specs[i].name;
          }
          const QuantizedMatrix back = format->decode(*stored(scratch, specs, data), "m", scheme);
          SCOPED_TRACE(std::string(format->name) + " " + std::to_string(bits));
          EXPECT_EQ(back.codes, m.codes);
          EXPECT_EQ(back.zeros, m.zeros);
          EXPECT_EQ(back.scales, m.scales);
          EXPECT_EQ(back.group_size, m.group_size);
          EXPECT_TRUE(back.group_of.empty());
        }
      }
    }
  }
}

TEST(Formats, SayWhichShapesTheyCannotHold) {
  const Scheme g128{4, 128, true};
  EXPECT_EQ(format_of("gptq").shape_problem(64, 256, g128), "");
  EXPECT_EQ(format_of("gptq").shape_problem(64, 100, g128),
            "has 100 columns, which are no multiple of 32");
  EXPECT_EQ(format_of("gptq_v2").shape_problem(65, 256, g128),
            "has 65 rows, which are no multiple of 32");
  EXPECT_EQ(format_of("gptq").shape_problem(64, 576, g128),
            "has 576 columns, which are no whole number of groups of 128");
  EXPECT_EQ(format_of("compressed-tensors").shape_problem(65, 576, g128),
            "has 576 columns, which are no whole number of groups of 128");
  EXPECT_EQ(format_of("compressed-tensors").shape_problem(65, 100, Scheme{4, 0, true}), "");
  EXPECT_EQ(format_of("awq").shape_problem(12, 256, g128),
            "has 12 rows, which are no multiple of 8");
  EXPECT_EQ(format_of("awq").shape_problem(16, 576, g128),
            "has 576 columns, which are no whole number of groups of 128");
}

/// The message of a linear whose tensors are `specs` of zeros.
std::string why_unreadable(const char* format, const Scheme& scheme,
                           const std::vector<safetensors::TensorSpec>& specs,
                           const std::vector<std::vector<std::byte>>& given = {}) {
  std::vector<std::vector<std::byte>> data = given;
  for (std::size_t i = data.size(); i < specs.size(); ++i) data.emplace_back(specs[i].n_bytes());
  const ScratchDirectory scratch;
  const auto source = stored(scratch, specs, data);
  const auto error =
      error_of<base::ValidationError>([&] { format_of(format).decode(*source, "m", scheme); });
  EXPECT_STREQ(error.what(), "cannot read the quantized linear `m`");
  return error.why();
}

TEST(Formats, RefuseTensorsThatDoNotFitTogether) {
  const Scheme g8{4, 8, false};
  const safetensors::TensorSpec qweight{"m.qweight", DType::kI32, {2, 32}},
      qzeros{"m.qzeros", DType::kI32, {2, 4}}, g_idx{"m.g_idx", DType::kI32, {16}},
      scales{"m.scales", DType::kF16, {2, 32}};
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {qzeros}), "there is no `qweight`");
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {{"m.qweight", DType::kF32, {2, 32}}}),
            "`qweight` is of type F32, not I32");
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {{"m.qweight", DType::kI32, {64}}}),
            "`qweight` has the shape [64], not 2 extents above 0");
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {{"m.qweight", DType::kI32, {0, 32}}}),
            "`qweight` has the shape [0, 32], not 2 extents above 0");
  EXPECT_EQ(why_unreadable("gptq_v2", {3, 8, false}, {qweight}),
            "the 2 rows of `qweight` are no whole number of codes of 3 bits");
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {qweight, {"m.qzeros", DType::kI32, {2, 5}}}),
            "`qzeros` has the shape [2, 5], not [2, 4]");
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {qweight, qzeros, {"m.scales", DType::kI32, {2, 32}}}),
            "`scales` is of type I32, which holds no real numbers");
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {qweight, qzeros, scales},
                           {std::vector<std::byte>(256), std::vector<std::byte>(32),
                            std::vector<std::byte>(128, std::byte{0xFF})}),
            "value 0 of `scales` is not finite");
  EXPECT_EQ(why_unreadable("gptq_v2", g8, {qweight, qzeros, scales, g_idx},
                           {std::vector<std::byte>(256), std::vector<std::byte>(32),
                            std::vector<std::byte>(128), std::vector<std::byte>(64, std::byte{1})}),
            "`g_idx` puts column 0 into group 16843009 of 2");
  EXPECT_EQ(why_unreadable("awq", g8, {{"m.qweight", DType::kI32, {16, 2}}, qzeros}),
            "`qzeros` has the shape [2, 4], not [2, 2]");
}

TEST(GptqFormat, RefusesAStoredZeroPointThatRuntimesReadDifferently) {
  const Scheme g8{4, 8, false};
  const std::vector<safetensors::TensorSpec> specs = {{"m.qweight", DType::kI32, {2, 32}},
                                                      {"m.qzeros", DType::kI32, {2, 4}},
                                                      {"m.scales", DType::kF16, {2, 32}}};
  std::vector<std::byte> zeros(32);
  zeros[16] = std::byte{0xF0};
  EXPECT_EQ(why_unreadable("gptq", g8, specs, {std::vector<std::byte>(256), zeros}),
            "the zero point of output 1 in group 1 is stored as 15, which runtimes read in "
            "different ways");
  const ScratchDirectory scratch;
  const auto source =
      stored(scratch, specs, {std::vector<std::byte>(256), zeros, std::vector<std::byte>(128)});
  EXPECT_EQ(format_of("gptq_v2").decode(*source, "m", g8).zeros[1 * 2 + 1], 15);
}

TEST(CompressedTensorsFormat, RefusesAShapeThatTheCodesDoNotHave) {
  const Scheme row{4, 0, true};
  const auto why = [&](std::int64_t rows, std::int64_t columns) {
    const std::array<std::int64_t, 2> shape = {rows, columns};
    const auto bytes = std::as_bytes(std::span(shape));
    return why_unreadable(
        "compressed-tensors", row,
        {{"m.weight_shape", DType::kI64, {2}}, {"m.weight_packed", DType::kI32, {3, 2}}},
        {std::vector<std::byte>(bytes.begin(), bytes.end())});
  };
  const std::string end = ", which do not pack into `weight_packed` [3, 2] at 4 bits";
  EXPECT_EQ(why(4, 16), "`weight_shape` says [4, 16]" + end);
  EXPECT_EQ(why(3, 17), "`weight_shape` says [3, 17]" + end);
  EXPECT_EQ(why(3, 8), "`weight_shape` says [3, 8]" + end);
  EXPECT_EQ(why(3, -16), "`weight_shape` says [3, -16]" + end);
  EXPECT_EQ(why(3, std::int64_t{1} << 62), "`weight_shape` says [3, 4611686018427387904]" + end);
  EXPECT_EQ(why(3, 16), "there is no `weight_scale`");
}

}  // namespace
}  // namespace lq::hf
