#include "common/gguf/layout.h"

#include <gtest/gtest.h>

#include "common/gguf/reader.h"
#include "tests/gguf/raw_file.h"
#include "tests/support/scratch.h"

namespace lq::gguf {
namespace {

using codec::QuantType;

std::string as_text(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += static_cast<char>(byte);
  return text;
}

Metadata small_metadata() {
  Metadata metadata;
  metadata.set("general.architecture", std::string("llama"));
  metadata.set("count", std::uint64_t{5});
  metadata.set("flags", std::vector<bool>{true, false});
  return metadata;
}

// The file of a layout, tensor i filled with the digit i.
std::string filled(const Layout& layout, const std::vector<TensorSpec>& tensors,
                   std::size_t first = 0) {
  std::string file = as_text(layout.header);
  for (std::size_t i = 0; i < layout.offsets.size(); ++i) {
    file.resize(layout.offsets[i]);
    file.append(tensors[first + i].n_bytes(), static_cast<char>('0' + first + i));
  }
  file.resize(layout.file_bytes);
  return file;
}

TEST(GgufLayout, WritesTheExactBytes) {
  const Layout layout =
      lay_out(small_metadata(), {{"b", {3, 1}, QuantType::kF32}, {"a", {64}, QuantType::kQ8_0}});
  const std::string expected = testing::GgufBytes()
                                   .header(2, 3)
                                   .text("general.architecture")
                                   .number(std::uint32_t{8})
                                   .text("llama")
                                   .text("count")
                                   .number(std::uint32_t{10})
                                   .number(std::uint64_t{5})
                                   .text("flags")
                                   .number(std::uint32_t{9})
                                   .number(std::uint32_t{7})
                                   .number(std::uint64_t{2})
                                   .raw(std::string("\1\0", 2))
                                   .tensor("b", {3, 1}, 0, 0)
                                   .tensor("a", {64}, 8, 32)
                                   .data(0);
  EXPECT_EQ(as_text(layout.header), expected);
  EXPECT_EQ(layout.offsets, (std::vector<std::uint64_t>{expected.size(), expected.size() + 32}));
  EXPECT_EQ(layout.file_bytes, expected.size() + 32 + 96);
}

TEST(GgufLayout, EveryKindOfValueReadsBack) {
  Metadata metadata;
  const auto both = [&metadata](const std::string& key, auto value) {
    metadata.set(key, value);
    metadata.set(key + "s", std::vector<decltype(value)>{value, value});
  };
  both("u8", std::uint8_t{1});
  both("i8", std::int8_t{-2});
  both("u16", std::uint16_t{3});
  both("i16", std::int16_t{-4});
  both("u32", std::uint32_t{5});
  both("i32", std::int32_t{-6});
  both("f32", 0.25F);
  both("bool", true);
  both("text", std::string("x\0y", 3));
  both("u64", std::uint64_t{7});
  both("i64", std::int64_t{-8});
  both("f64", 0.1);
  metadata.set("none", std::vector<std::string>());
  const testing::ScratchDirectory scratch;
  const Reader reader(scratch.write("m.gguf", as_text(lay_out(metadata, {}).header)));
  EXPECT_EQ(reader.metadata().entries(), metadata.entries());
}

TEST(GgufLayout, RefusesWhatTheFormatCannotHold) {
  const auto why = [](const TensorSpec& tensor) {
    return testing::error_of<base::UnsupportedError>([&] { lay_out({}, {tensor}); }).why();
  };
  EXPECT_EQ(why({std::string(64, 'x'), {1}, QuantType::kF32}),
            "its name has 64 bytes, more than the 63 of the format");
  EXPECT_EQ(why({"a", {}, QuantType::kF32}), "it has 0 dimensions instead of 1 to 4");
  EXPECT_EQ(why({"a", {1, 1, 1, 1, 1}, QuantType::kF32}), "it has 5 dimensions instead of 1 to 4");
  EXPECT_EQ(why({"a", {100, 2}, QuantType::kQ4K}),
            "its rows of 100 elements are no multiple of the 256 in a block of Q4_K");
  EXPECT_EQ(why({"a", {4, 0}, QuantType::kF32}), "it has a dimension of 0");
  EXPECT_EQ(why({"a", {1ULL << 40, 1ULL << 40}, QuantType::kF32}), "it has too many elements");
  const auto doubled = testing::error_of<base::UnsupportedError>([] {
    lay_out({}, {{"a", {1}, QuantType::kF32}, {"a", {1}, QuantType::kF32}});
  });
  EXPECT_EQ(doubled.why(), "two have this name");
  Metadata metadata;
  metadata.set(std::string(65536, 'k'), true);
  const auto lengthy = testing::error_of<base::UnsupportedError>([&] { lay_out(metadata, {}); });
  EXPECT_EQ(lengthy.why(), "it is empty or longer than 65535 bytes");
}

TEST(GgufLayout, RefusesTensorsThatNoFileHoldsTogether) {
  std::vector<TensorSpec> tensors;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h", "i"}) {
    tensors.push_back({name, {1ULL << 59}, QuantType::kF32});  // 2^61 bytes
  }
  const auto error =
      testing::error_of<base::UnsupportedError>([&] { lay_out_split({}, tensors, 1ULL << 40); });
  EXPECT_STREQ(error.what(), "cannot write tensor `c` to a GGUF file");
  EXPECT_EQ(error.why(), "with it the file would pass 4.00 EiB");
}

class SplitTest : public ::testing::Test {
 protected:
  SplitTest() {
    for (int i = 0; i < 5; ++i) {
      tensors_.push_back({"t" + std::to_string(i), {256, 2}, QuantType::kF32});  // 2048 bytes
    }
  }
  // Writes the parts and returns the path of the first.
  std::filesystem::path write(const std::vector<SplitPart>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      scratch_.write(split_name("m", i, parts.size()),
                     filled(parts[i].layout, tensors_, parts[i].first_tensor));
    }
    return scratch_.path() / split_name("m", 0, parts.size());
  }

  std::vector<TensorSpec> tensors_;
  testing::ScratchDirectory scratch_;
};

TEST_F(SplitTest, NoPartIsLargerThanAllowedAndNoneCouldTakeOneMore) {
  for (const std::uint64_t max_bytes : {2400U, 3000U, 4500U, 5000U, 6600U, 9000U}) {
    const std::vector<SplitPart> parts = lay_out_split(small_metadata(), tensors_, max_bytes);
    std::size_t next = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i].first_tensor, next);
      EXPECT_LE(parts[i].layout.file_bytes, max_bytes);
      next += parts[i].n_tensors;
      if (i + 1 < parts.size()) {
        EXPECT_GT(parts[i].layout.file_bytes + 2048 + 64, max_bytes);
      }
    }
    EXPECT_EQ(next, tensors_.size());
  }
}

TEST_F(SplitTest, PartsReadBackAsOneModelFromAnyOfThem) {
  const std::vector<SplitPart> parts = lay_out_split(small_metadata(), tensors_, 5000);
  ASSERT_EQ(parts.size(), 3U);
  write(parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Reader reader(scratch_.path() / split_name("m", i, parts.size()));
    EXPECT_EQ(reader.files().size(), 3U);
    ASSERT_EQ(reader.tensors().size(), 5U);
    EXPECT_EQ(*reader.metadata().get<std::uint64_t>("count"), 5U);
    EXPECT_EQ(*reader.metadata().get<std::uint16_t>("split.count"), 3U);
    for (std::size_t t = 0; t < 5; ++t) {
      std::string bytes(4, '\0');
      reader.read(reader.tensors()[t], 2044, std::as_writable_bytes(std::span(bytes)));
      EXPECT_EQ(bytes, std::string(4, static_cast<char>('0' + t)));
    }
    EXPECT_EQ(reader.bytes_read(), 20U);
  }
}

TEST_F(SplitTest, AModelThatFitsStaysWhole) {
  const std::vector<SplitPart> parts = lay_out_split(small_metadata(), tensors_, 1 << 20);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].n_tensors, 5U);
  EXPECT_EQ(parts[0].layout.header, lay_out(small_metadata(), tensors_).header);
}

TEST_F(SplitTest, ATensorAboveTheLimitStandsAlone) {
  const std::vector<SplitPart> parts = lay_out_split(small_metadata(), tensors_, 1000);
  ASSERT_EQ(parts.size(), 6U);
  EXPECT_EQ(parts[0].n_tensors, 0U);  // the metadata fill it
  for (std::size_t i = 1; i < parts.size(); ++i) EXPECT_EQ(parts[i].n_tensors, 1U);
  EXPECT_EQ(Reader(write(parts)).tensors().size(), 5U);
}

TEST_F(SplitTest, LaterPartsCarryTheArchitectureAndTheSplitKeysAlone) {
  const std::vector<SplitPart> parts = lay_out_split(small_metadata(), tensors_, 5000);
  write(parts);
  const io::InputFile second(scratch_.path() / split_name("m", 1, 3));
  const Metadata metadata = read_part(second).metadata;
  EXPECT_EQ(metadata.entries().size(), 4U);
  EXPECT_EQ(*metadata.get<std::string>("general.architecture"), "llama");
  EXPECT_EQ(*metadata.get<std::uint16_t>("split.no"), 1U);
  EXPECT_EQ(*metadata.get<std::uint16_t>("split.count"), 3U);
  EXPECT_EQ(*metadata.get<std::int32_t>("split.tensors.count"), 5);
}

TEST_F(SplitTest, TooManyPartsAreRefused) {
  tensors_.assign(65536, {});
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    tensors_[i] = {std::to_string(i), {1}, QuantType::kF32};
  }
  const auto error = testing::error_of<base::UnsupportedError>(
      [&] { lay_out_split(small_metadata(), tensors_, 1); });
  EXPECT_EQ(error.why(), "it would have 65537 parts, more than 65535");
}

}  // namespace
}  // namespace lq::gguf
