#include "common/gguf/part.h"

#include <gtest/gtest.h>
#include <random>

#include "tests/gguf/raw_file.h"
#include "tests/support/scratch.h"

namespace lq::gguf {
namespace {

using testing::GgufBytes;

constexpr std::uint32_t kF32 = 0, kQ8_0 = 8;
constexpr std::uint32_t kUint32 = 4, kBool = 7, kString = 8, kArray = 9, kFloat64 = 12;

class PartTest : public ::testing::Test {
 protected:
  Part read(const std::string& bytes) {
    return read_part(io::InputFile(scratch_.write("m.gguf", bytes)));
  }
  // The `why` of the ValidationError that these bytes give, without the position.
  std::string why(const std::string& bytes) {
    const auto error = testing::error_of<base::ValidationError>([&] { read(bytes); });
    EXPECT_NE(std::string(error.what()).find("m.gguf"), std::string::npos);
    EXPECT_NE(error.why().find(" (at byte "), std::string::npos) << error.why();
    return error.why().substr(0, error.why().find(" (at byte "));
  }
  // Of a file with this one metadata entry (value type and value).
  std::string why_entry(const GgufBytes& value) {
    return why(GgufBytes().header(0, 1).text("k").raw(value));
  }
  // Of a file with this one tensor.
  std::string why_tensor(const std::vector<std::uint64_t>& dims, std::uint32_t type,
                         std::uint64_t offset = 0) {
    return why(GgufBytes().header(1, 0).tensor("t", dims, type, offset).data(64));
  }

  testing::ScratchDirectory scratch_;
};

TEST_F(PartTest, ReadsEveryKindOfValue) {
  GgufBytes file;
  file.header(0, 24);
  const auto scalar = [&](std::uint32_t type, auto value) {
    file.text("s" + std::to_string(type)).number(type).number(value);
  };
  const auto array = [&](std::uint32_t type, auto value) {
    file.text("a" + std::to_string(type)).number(kArray).number(type);
    file.number(std::uint64_t{2}).number(value).number(value);
  };
  const auto both = [&](std::uint32_t type, auto value) {
    scalar(type, value);
    array(type, value);
  };
  both(0, std::uint8_t{200});
  both(1, std::int8_t{-5});
  both(2, std::uint16_t{60000});
  both(3, std::int16_t{-300});
  both(4, std::uint32_t{4000000000});
  both(5, std::int32_t{-70000});
  both(6, 1.5F);
  both(7, std::uint8_t{1});
  both(10, std::uint64_t{1} << 63);
  both(11, std::int64_t{-1});
  both(12, 0.1);
  file.text("s8").number(kString).text("te\nxt");
  file.text("a8").number(kArray).number(kString).number(std::uint64_t{2}).text("x").text("");
  const Metadata metadata = read(file).metadata;
  EXPECT_EQ(metadata.entries().size(), 24U);
  const auto expect_both = [&](int type, auto value) {
    using T = decltype(value);
    const auto* one = metadata.get<T>("s" + std::to_string(type));
    const auto* many = metadata.get<std::vector<T>>("a" + std::to_string(type));
    ASSERT_TRUE(one != nullptr && many != nullptr) << type;
    EXPECT_EQ(*one, value) << type;
    EXPECT_EQ(*many, (std::vector<T>{value, value})) << type;
  };
  expect_both(0, std::uint8_t{200});
  expect_both(1, std::int8_t{-5});
  expect_both(2, std::uint16_t{60000});
  expect_both(3, std::int16_t{-300});
  expect_both(4, std::uint32_t{4000000000});
  expect_both(5, std::int32_t{-70000});
  expect_both(6, 1.5F);
  expect_both(7, true);
  expect_both(10, std::uint64_t{1} << 63);
  expect_both(11, std::int64_t{-1});
  expect_both(12, 0.1);
  EXPECT_EQ(*metadata.get<std::string>("s8"), "te\nxt");
  EXPECT_EQ(*metadata.get<std::vector<std::string>>("a8"), (std::vector<std::string>{"x", ""}));
}

TEST_F(PartTest, PlacesTensorsBehindTheHeader) {
  const Part part = read(GgufBytes()
                             .header(2, 0)
                             .tensor("a", {3}, kF32, 0)
                             .tensor("b", {32, 2, 1}, kQ8_0, 32)
                             .data(32 + 68));
  ASSERT_EQ(part.tensors.size(), 2U);
  EXPECT_EQ(part.version, 3U);
  EXPECT_EQ(part.tensors[0].offset, part.data_offset);
  EXPECT_EQ(part.tensors[1].offset, part.data_offset + 32);
  EXPECT_EQ(part.tensors[1].n_elems, 64U);
  EXPECT_EQ(part.tensors[1].n_bytes, 68U);
  EXPECT_EQ(part.tensors[1].type, codec::QuantType::kQ8_0);
  EXPECT_EQ(part.data_offset % 32, 0U);
  EXPECT_EQ(part.data_bytes, 32U + 96U);
}

TEST_F(PartTest, VersionTwoHasTheSameLayout) {
  EXPECT_EQ(read(GgufBytes().header(1, 0, 2).tensor("a", {3}, kF32, 0).data(12)).version, 2U);
}

TEST_F(PartTest, AnotherAlignmentMovesTheTensors) {
  const auto aligned = [](std::uint32_t alignment, std::size_t data) {
    return GgufBytes()
        .header(2, 1)
        .text("general.alignment")
        .number(kUint32)
        .number(alignment)
        .tensor("a", {3}, kF32, 0)
        .tensor("b", {1}, kF32, 64)
        .data(data, 64);
  };
  EXPECT_EQ(read(aligned(64, 68)).tensors[1].offset % 64, 0U);
  EXPECT_EQ(why(aligned(0, 68)), "general.alignment is not a 32-bit power of two");
  EXPECT_EQ(why(aligned(48, 68)), "general.alignment is not a 32-bit power of two");
  EXPECT_EQ(why(GgufBytes().header(0, 1).text("general.alignment").number(kString).text("32")),
            "general.alignment is not a 32-bit power of two");
}

TEST_F(PartTest, RejectsOtherFilesAndVersions) {
  EXPECT_EQ(why("GGML...................."), "it does not start with the bytes GGUF");
  EXPECT_EQ(why(GgufBytes().header(0, 0, 1)),
            "it has version 1 of the format; versions 2 and 3 are read");
  EXPECT_EQ(why(GgufBytes().header(0, 0, 4)),
            "it has version 4 of the format; versions 2 and 3 are read");
  EXPECT_EQ(why(GgufBytes().header(0, 0, 0)),
            "it has version 0 of the format; versions 2 and 3 are read");
  EXPECT_EQ(why(GgufBytes().header(0, 0, 0x03000000)),
            "it was written for big-endian machines; convert it on this kind of machine");
}

TEST_F(PartTest, RejectsAFileThatEndsAnywhereInTheHeader) {
  const std::string whole = GgufBytes()
                                .header(1, 1)
                                .text("key")
                                .number(kArray)
                                .number(kString)
                                .number(std::uint64_t{2})
                                .text("one")
                                .text("two")
                                .tensor("tensor", {4}, kF32, 0);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string reason = why(whole.substr(0, n));
    EXPECT_TRUE(reason.find("the file is truncated") == 0 ||
                reason.find("left in the file can hold") != std::string::npos)
        << n << ": " << reason;
  }
}

TEST_F(PartTest, RejectsCountsThatTheFileCannotHold) {
  const std::string tail(64, 'x');
  EXPECT_EQ(why(GgufBytes().header(-1, 0).raw(tail)),
            "the tensor count claims a length of 18446744073709551615, more than the 72 bytes left "
            "in the file can hold");
  EXPECT_EQ(why(GgufBytes().header(0, 5).raw(tail)),
            "the metadata count claims a length of 5, more than the 64 bytes left in the file can "
            "hold");
  EXPECT_EQ(why_entry(GgufBytes().number(kString).number(std::uint64_t{1} << 63)),
            "the value of k claims a length of 9223372036854775808, more than the 0 bytes left in "
            "the file can hold");
  EXPECT_EQ(why_entry(GgufBytes().number(kArray).number(kFloat64).number(std::uint64_t{1} << 61)),
            "the value of k claims a length of 2305843009213693952, more than the 0 bytes left in "
            "the file can hold");
  EXPECT_EQ(
      why_entry(
          GgufBytes().number(kArray).number(kString).number(std::uint64_t{3}).raw(tail.substr(41))),
      "the value of k claims a length of 3, more than the 23 bytes left in the file can hold");
}

TEST_F(PartTest, RejectsValuesItDoesNotKnow) {
  EXPECT_EQ(why_entry(GgufBytes().number(std::uint32_t{13}).number(std::uint64_t{0})),
            "the value of k has the unknown type 13");
  EXPECT_EQ(
      why_entry(GgufBytes().number(kArray).number(std::uint32_t{99}).number(std::uint64_t{0})),
      "the value of k has the unknown type 99");
  EXPECT_EQ(why_entry(GgufBytes().number(kArray).number(kArray).number(std::uint64_t{0})),
            "the value of k is an array of arrays, which no reader of GGUF accepts");
  EXPECT_EQ(why_entry(GgufBytes().number(kBool).number(std::uint8_t{2}).raw("    ")),
            "the value of k has a truth value of 2 instead of 0 or 1");
}

TEST_F(PartTest, RejectsBadKeysAndNames) {
  const auto entry = [](GgufBytes& file, const std::string& key) {
    file.text(key).number(kUint32).number(std::uint32_t{7});
  };
  GgufBytes doubled, unnamed, lengthy;
  doubled.header(0, 2);
  entry(doubled, "k\x1b");
  entry(doubled, "k\x1b");
  EXPECT_EQ(why(doubled), "the metadata key `k\\x1B` appears twice");
  unnamed.header(0, 1);
  entry(unnamed, "");
  EXPECT_EQ(why(unnamed), "it has an empty metadata key");
  lengthy.header(0, 1);
  entry(lengthy, std::string(65536, 'k'));
  EXPECT_EQ(why(lengthy), "a metadata key is 65536 bytes long, more than the 65535 allowed");
  EXPECT_EQ(why(GgufBytes().header(2, 0).tensor("t", {8}, kF32, 0).tensor("t", {8}, kF32, 32)),
            "the tensor name `t` appears twice");
  EXPECT_EQ(why(GgufBytes().header(1, 0).tensor(std::string(64, 't'), {8}, kF32, 0)),
            "a tensor name is 64 bytes long, more than the 63 allowed");
}

TEST_F(PartTest, RejectsTensorsThatCannotBe) {
  EXPECT_EQ(why_tensor({1, 1, 1, 1, 1}, kF32), "tensor `t` has 5 dimensions, more than 4");
  EXPECT_EQ(why_tensor({0}, kF32), "tensor `t` has a dimension of 0");
  EXPECT_EQ(why_tensor({4}, 4), "tensor `t` has the unknown type 4");
  EXPECT_EQ(why_tensor({4}, 0xFFFFFFFF), "tensor `t` has the unknown type 4294967295");
  EXPECT_EQ(why_tensor({33}, kQ8_0),
            "tensor `t` has rows of 33 elements, no multiple of the 32 in a block of Q8_0");
  EXPECT_EQ(why_tensor({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, kF32),
            "tensor `t` has too many elements");
  EXPECT_EQ(why_tensor({std::uint64_t{1} << 60}, kF32), "tensor `t` has too many elements");
  EXPECT_EQ(why_tensor({8}, kF32, 32),
            "tensor `t` starts at 32 of the data, where the tensors before it end at 0");
}

TEST_F(PartTest, RejectsTensorsThatOverlapOrLeaveAGap) {
  for (const std::uint64_t offset : {0U, 12U, 64U}) {
    const std::string file =
        GgufBytes().header(2, 0).tensor("a", {3}, kF32, 0).tensor("b", {3}, kF32, offset).data(128);
    EXPECT_EQ(why(file), "tensor `b` starts at " + std::to_string(offset) +
                             " of the data, where the tensors before it end at 32");
  }
}

TEST_F(PartTest, RejectsATensorPastTheEndOfTheFile) {
  EXPECT_EQ(read(GgufBytes().header(1, 0).tensor("t", {16}, kF32, 0).data(64)).tensors.size(), 1U);
  EXPECT_EQ(why(GgufBytes().header(1, 0).tensor("t", {16}, kF32, 0).data(63)),
            "the file is truncated: tensor `t` of 64 B does not fit in its 127 bytes");
  EXPECT_NE(why(GgufBytes().header(1, 0).tensor("t", {1 << 20}, kF32, 0).data(64))
                .find("the file is truncated: tensor `t` of 4.00 MiB"),
            std::string::npos);
}

TEST_F(PartTest, DamagedHeadersGiveValidationErrorsAndNothingElse) {
  GgufBytes sound;
  sound.header(2, 3).text("general.name").number(kString).text("model");
  sound.text("flags").number(kArray).number(kBool).number(std::uint64_t{2}).raw({1, 0});
  sound.text("tokens").number(kArray).number(kString).number(std::uint64_t{2}).text("a").text("b");
  sound.tensor("a", {32}, kQ8_0, 0).tensor("b", {3}, kF32, 64);
  const std::size_t header_bytes = static_cast<const std::string&>(sound).size();
  sound.data(64 + 12);
  read(sound);
  std::mt19937 random(20);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bytes = sound;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      bytes[random() % header_bytes] = static_cast<char>(random() % 4 == 0 ? 0xFF : random());
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    try {
      read(bytes);
    } catch (const base::ValidationError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace lq::gguf
