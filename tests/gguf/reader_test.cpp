#include "common/gguf/reader.h"

#include <gtest/gtest.h>

#include "tests/gguf/raw_file.h"
#include "tests/support/scratch.h"

namespace lq::gguf {
namespace {

using testing::GgufBytes;

struct Keys {
  std::uint16_t number, count;
  std::int32_t n_tensors;
};

// A part with one tensor of 4 bytes.
std::string part(const Keys& keys, const std::string& tensor) {
  return GgufBytes()
      .header(1, 3)
      .text("split.no")
      .number(std::uint32_t{2})
      .number(keys.number)
      .text("split.count")
      .number(std::uint32_t{2})
      .number(keys.count)
      .text("split.tensors.count")
      .number(std::uint32_t{5})
      .number(keys.n_tensors)
      .tensor(tensor, {1}, 0, 0)
      .data(32);
}

class ReaderTest : public ::testing::Test {
 protected:
  std::filesystem::path two_parts(const std::string& first, const std::string& second) {
    scratch_.write("m-00002-of-00002.gguf", second);
    return scratch_.write("m-00001-of-00002.gguf", first);
  }
  static std::string why(const std::filesystem::path& path) {
    return testing::error_of<base::ValidationError>([&] { Reader reader(path); }).why();
  }

  testing::ScratchDirectory scratch_;
};

TEST_F(ReaderTest, ReadsSlicesAndCountsTheBytes) {
  const auto path = scratch_.write(
      "m.gguf", GgufBytes().header(1, 0).tensor("t", {2}, 0, 0).data(0).raw("ABCDEFGH"));
  const Reader reader(path);
  std::string bytes(3, '\0');
  reader.read(*reader.find("t"), 4, std::as_writable_bytes(std::span(bytes)));
  EXPECT_EQ(bytes, "EFG");
  EXPECT_EQ(reader.bytes_read(), 3U);
  EXPECT_EQ(reader.find("u"), nullptr);
  EXPECT_EQ(reader.version(), 3U);
  EXPECT_EQ(reader.file_bytes(), std::filesystem::file_size(path));
  EXPECT_TRUE(reader.warnings().empty());
  std::filesystem::resize_file(path, reader.file_bytes() - 1);
  const auto error = testing::error_of<base::ValidationError>(
      [&] { reader.read(*reader.find("t"), 5, std::as_writable_bytes(std::span(bytes))); });
  EXPECT_NE(std::string(error.what()).find("in tensor `t`"), std::string::npos);
}

TEST_F(ReaderTest, WarnsOfBytesAfterTheLastTensor) {
  const Reader reader(
      scratch_.write("m.gguf", GgufBytes().header(1, 0).tensor("t", {2}, 0, 0).data(40)));
  ASSERT_EQ(reader.warnings().size(), 1U);
  EXPECT_NE(reader.warnings()[0].find("has 8 bytes after its last tensor"), std::string::npos);
}

TEST_F(ReaderTest, AMissingFileOrPartIsNotFound) {
  testing::error_of<base::ModelNotFoundError>([&] { Reader reader(scratch_.path() / "none"); });
  const auto path = scratch_.write("m-00002-of-00002.gguf", part({1, 2, 2}, "b"));
  const auto error = testing::error_of<base::ModelNotFoundError>([&] { Reader reader(path); });
  EXPECT_EQ(error.why(), "part 1 of 2, m-00001-of-00002.gguf, is missing");
}

TEST_F(ReaderTest, SaysWhyAPartCannotBeOpened) {
  const auto path = scratch_.write("m-00002-of-00002.gguf", part({1, 2, 2}, "b"));
  const auto loop = scratch_.path() / "m-00001-of-00002.gguf";
  std::filesystem::create_symlink(loop, loop);
  const auto error = testing::error_of<base::ModelNotFoundError>([&] { Reader reader(path); });
  EXPECT_EQ(error.what(), "cannot open " + loop.string());
  EXPECT_EQ(error.why(), "Too many levels of symbolic links");
}

TEST_F(ReaderTest, APartMustBeNamedLikeOne) {
  const auto path = scratch_.write("m.gguf", part({0, 2, 2}, "a"));
  const auto error = testing::error_of<base::ValidationError>([&] { Reader reader(path); });
  EXPECT_EQ(error.why(), "it is part 1 of 2 of a split model, but is not named like one");
  EXPECT_EQ(error.fix(), "rename it to NAME-00001-of-00002.gguf");
}

TEST_F(ReaderTest, PartsMustBelongTogether) {
  EXPECT_EQ(why(two_parts(part({0, 2, 2}, "a"), part({0, 2, 2}, "b"))),
            "its split keys are not those of part 2 of 2");
  EXPECT_EQ(why(two_parts(part({0, 2, 2}, "a"), part({1, 3, 2}, "b"))),
            "its split keys are not those of part 2 of 2");
  EXPECT_EQ(why(two_parts(part({0, 2, 2}, "a"), part({1, 2, 3}, "b"))),
            "its split keys are not those of part 2 of 2");
  EXPECT_EQ(why(two_parts(part({0, 2, 2}, "a"), GgufBytes().header(0, 0))),
            "its split keys are not those of part 2 of 2");
  EXPECT_EQ(why(two_parts(part({0, 2, 3}, "a"), part({1, 2, 3}, "b"))),
            "its 2 parts hold 2 tensors together, but should hold 3");
  EXPECT_EQ(why(two_parts(part({0, 2, 2}, "a"), part({1, 2, 2}, "a"))),
            "tensor `a` is also in m-00001-of-00002.gguf");
  EXPECT_EQ(Reader(two_parts(part({0, 2, 2}, "a"), part({1, 2, 2}, "b"))).tensors().size(), 2U);
}

TEST_F(ReaderTest, ACountOfOneIsAWholeModel) {
  const Reader reader(scratch_.write("m.gguf", part({0, 1, 1}, "a")));
  EXPECT_EQ(reader.files().size(), 1U);
}

}  // namespace
}  // namespace lq::gguf
