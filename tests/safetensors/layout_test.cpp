#include "common/safetensors/layout.h"

#include <gtest/gtest.h>

#include "common/safetensors/reader.h"
#include "tests/support/scratch.h"

namespace lq::safetensors {
namespace {

using tensor::DType;

TEST(SafetensorsLayout, WritesTheExactBytes) {
  const std::string file =
      serialize({{"b", DType::kU8, {2}}, {"a", DType::kF32, {}}}, {"xy", "1234"}, {{"k", "v"}});
  const std::string json = R"({"__metadata__":{"format":"pt","k":"v"},)"
                           R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                           R"("b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})";
  std::string header = json;
  header.resize(192 - 8, ' ');
  std::string length(8, '\0');
  length[0] = static_cast<char>(header.size());
  EXPECT_EQ(file, length + header + "1234xy");
}

TEST(SafetensorsLayout, OrdersByWidthThenNameAndKeepsTheCallersPositions) {
  const Layout layout = lay_out({{"c", DType::kBF16, {3}},
                                 {"a", DType::kU8, {5}},
                                 {"b", DType::kBF16, {1}},
                                 {"d", DType::kF32, {2}}});
  const std::uint64_t data = layout.header.size();
  EXPECT_EQ(data % kHeaderAlignment, 0U);
  EXPECT_EQ(layout.offsets, (std::vector<std::uint64_t>{data + 10, data + 16, data + 8, data}));
  EXPECT_EQ(layout.file_bytes, data + 21);
}

TEST(SafetensorsLayout, KeepsTheGivenOrderWhereAsked) {
  const Layout layout =
      lay_out_in_order({{"c", DType::kBF16, {4}}, {"a", DType::kF32, {2}}, {"b", DType::kU8, {3}}});
  const std::uint64_t data = layout.header.size();
  EXPECT_EQ(layout.offsets, (std::vector<std::uint64_t>{data, data + 8, data + 16}));
  EXPECT_EQ(layout.file_bytes, data + 19);
  EXPECT_EQ(alignment_of(DType::kF4), 1U);
  EXPECT_EQ(alignment_of(DType::kI64), 8U);
}

TEST(SafetensorsLayout, WhatIsWrittenReadsBack) {
  const testing::ScratchDirectory scratch;
  const std::string name = "weird \"name\" \\ \n \xC3\xA9";
  const auto path = scratch.write(
      "m.safetensors",
      serialize({{name, DType::kI16, {2, 1}}, {"e", DType::kF4, {0, 7}}}, {"abcd", ""}));
  const Reader reader(path);
  ASSERT_NE(reader.find(name), nullptr);
  EXPECT_EQ(reader.find(name)->shape, (tensor::Shape{2, 1}));
  EXPECT_EQ(reader.find("e")->n_elems, 0U);
  EXPECT_EQ(reader.metadata().at("format"), "pt");
}

TEST(SafetensorsLayout, RefusesWhatTheFormatCannotHold) {
  using testing::error_of;
  const auto why = [](const std::vector<TensorSpec>& tensors) {
    return error_of<base::UnsupportedError>([&] { lay_out(tensors); }).why();
  };
  EXPECT_EQ(why({{"a", DType::kU8, {1}}, {"a", DType::kF32, {1}}}), "two tensors have this name");
  EXPECT_EQ(why({{"a", DType::kF4, {3}}}), "its 12 bits are no whole number of bytes");
  EXPECT_EQ(why({{"a", DType::kU8, {-1}}}), "its shape has a negative extent or too many elements");
  EXPECT_EQ(why({{"a", DType::kF64, {std::int64_t{1} << 60, 2}}}),
            "its shape has a negative extent or too many elements");
  EXPECT_EQ(why({{"__metadata__", DType::kU8, {1}}}), "the format keeps this name for itself");
  EXPECT_EQ(why({{"\xFF", DType::kU8, {1}}}),
            "a tensor name or a metadata text is not valid UTF-8");
  EXPECT_NE(why({{std::string(kHeaderAlignment + 25'000'000, 'a'), DType::kU8, {1}}})
                .find("more than the 25000000 that readers accept"),
            std::string::npos);
}

}  // namespace
}  // namespace lq::safetensors
