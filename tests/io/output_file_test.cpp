#include "common/io/output_file.h"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "common/io/file_status.h"
#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::read_file;
using lq::testing::ScratchDirectory;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(OutputFile, ReservesItsWholeSizeAsZeros) {
  const ScratchDirectory scratch;
  OutputFile file(scratch.path() / "x");
  file.allocate(100'000);
  const auto status = file_status(scratch.path() / "x");
  EXPECT_EQ(status->size, 100'000U);
  EXPECT_GE(status->allocated_bytes, 100'000U);
  EXPECT_EQ(read_file(scratch.path() / "x"), std::string(100'000, '\0'));
}

TEST(OutputFile, TouchesNoByteWhereTheFileSystemCannotReserve) {
  const std::string before = read_file("/proc/self/comm");
  OutputFile("/proc/self/comm").allocate(100'000);
  EXPECT_EQ(read_file("/proc/self/comm"), before);
}

TEST(OutputFile, ShrinksToTheSizeAndKeepsWhatIsThere) {
  const ScratchDirectory scratch;
  OutputFile file(scratch.write("x", "0123456789"));
  file.allocate(4);
  EXPECT_EQ(read_file(scratch.path() / "x"), "0123");
  file.allocate(6);
  EXPECT_EQ(read_file(scratch.path() / "x"), std::string("0123\0\0", 6));
  file.allocate(0);
  EXPECT_EQ(read_file(scratch.path() / "x"), "");
}

TEST(OutputFile, WritesAndReadsBackAtOffsets) {
  const ScratchDirectory scratch;
  OutputFile file(scratch.path() / "x");
  file.allocate(8);
  file.write_at(6, bytes_of("zz"));
  file.write_at(0, bytes_of("abcdef"));
  file.write_zeros(1, 3);
  file.sync();
  EXPECT_EQ(read_file(scratch.path() / "x"), std::string("a\0\0\0efzz", 8));
  std::array<char, 6> back = {};
  file.read_at(4, std::as_writable_bytes(std::span(back)));
  EXPECT_EQ(std::string(back.data(), back.size()), std::string("efzz\0\0", 6));
}

TEST(OutputFile, LargeZeroRunsGoInPieces) {
  const ScratchDirectory scratch;
  OutputFile file(scratch.write("x", std::string(3'000'000, 'x')));
  file.write_zeros(1, 2'500'000);
  const std::string bytes = read_file(scratch.path() / "x");
  EXPECT_EQ(bytes, "x" + std::string(2'500'000, '\0') + std::string(499'999, 'x'));
}

TEST(OutputFile, RefusesLinksAndDirectories) {
  const ScratchDirectory scratch;
  std::filesystem::create_symlink(scratch.write("target", "t"), scratch.path() / "link");
  EXPECT_THROW(OutputFile(scratch.path() / "link"), base::OutputError);
  EXPECT_THROW(OutputFile(scratch.path()), base::OutputError);
  EXPECT_EQ(read_file(scratch.path() / "target"), "t");
}

TEST(OutputFile, FailedWritesAreOutputErrors) {
  OutputFile full("/dev/full");
  try {
    full.write_at(0, bytes_of("x"));
    FAIL();
  } catch (const base::OutputError& error) {
    EXPECT_STREQ(error.what(), "cannot write /dev/full");
    EXPECT_EQ(error.why(), "No space left on device (/dev/full)");
  }
}

}  // namespace
}  // namespace lq::io
