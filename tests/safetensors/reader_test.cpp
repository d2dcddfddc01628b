#include "common/safetensors/reader.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "common/safetensors/layout.h"
#include "tests/support/scratch.h"

namespace lq::safetensors {
namespace {

class ReaderTest : public ::testing::Test {
 protected:
  std::string slice(const Reader& reader, const std::string& name, std::uint64_t offset,
                    std::size_t n) {
    std::string out(n, '\0');
    reader.read(*reader.find(name), offset, std::as_writable_bytes(std::span(out)));
    return out;
  }

  testing::ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_.write(
      "m.safetensors",
      serialize({{"first", tensor::DType::kF32, {2}}, {"second", tensor::DType::kU8, {2, 3}}},
                {"ABCDEFGH", "abcdef"}));
};

TEST_F(ReaderTest, ReadsAnySliceOfATensorAndCountsTheBytes) {
  const Reader reader(path_);
  EXPECT_EQ(slice(reader, "first", 0, 8), "ABCDEFGH");
  EXPECT_EQ(slice(reader, "second", 3, 3), "def");
  EXPECT_EQ(slice(reader, "second", 6, 0), "");
  EXPECT_EQ(reader.bytes_read(), 11U);
}

TEST_F(ReaderTest, ListsItsFileAndTensors) {
  const Reader reader(path_);
  ASSERT_EQ(reader.files().size(), 1U);
  EXPECT_EQ(reader.files()[0], path_);
  ASSERT_EQ(reader.tensors().size(), 2U);
  EXPECT_EQ(reader.find("first"), &reader.tensors()[0]);
  EXPECT_EQ(reader.find("third"), nullptr);
}

TEST_F(ReaderTest, AFileThatBecameShorterIsFoundWhenItIsRead) {
  const Reader reader(path_);
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  const auto error =
      testing::error_of<base::ValidationError>([&] { slice(reader, "second", 0, 6); });
  EXPECT_NE(std::string(error.what()).find("m.safetensors"), std::string::npos);
  EXPECT_NE(std::string(error.what()).find("in tensor `second`"), std::string::npos);
  EXPECT_EQ(error.why(), "the file ends 1 bytes too early");
}

TEST_F(ReaderTest, AMissingFileIsNotFound) {
  testing::error_of<base::ModelNotFoundError>([&] { Reader reader(scratch_.path() / "none"); });
}

}  // namespace
}  // namespace lq::safetensors
