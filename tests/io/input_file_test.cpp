#include "common/io/input_file.h"

#include <array>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/io/file_status.h"
#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::error_of;
using lq::testing::ScratchDirectory;

TEST(InputFile, ReadsAtOffsetsAndKnowsSizeAndTime) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("x", "0123456789");
  const InputFile opened(path);
  EXPECT_EQ(opened.size(), 10U);
  EXPECT_EQ(opened.mtime_ns(), file_status(path)->mtime_ns);
  std::array<char, 3> out = {};
  opened.read_at(7, std::as_writable_bytes(std::span(out)));
  EXPECT_EQ(std::string(out.data(), 3), "789");
  opened.read_at(10, {});
}

TEST(InputFile, StaysOpenWhenMoved) {
  const ScratchDirectory scratch;
  InputFile first(scratch.write("x", "ab"));
  const InputFile second(std::move(first));
  std::array<char, 2> out = {};
  second.read_at(0, std::as_writable_bytes(std::span(out)));
  EXPECT_EQ(out[1], 'b');
}

TEST(InputFile, ReadPastTheEndNamesTheByteAndWhatIsMissing) {
  const ScratchDirectory scratch;
  const InputFile file(scratch.write("x", "0123"));
  std::array<std::byte, 6> out = {};
  const auto error = error_of<base::ValidationError>([&] { file.read_at(2, out); });
  EXPECT_EQ(error.what(), "cannot read " + file.path().string() + " at byte 4");
  EXPECT_EQ(error.why(), "the file ends 4 bytes too early");
}

TEST(InputFile, MissingFilesAndDirectoriesAreNotFound) {
  const ScratchDirectory scratch;
  const auto missing = error_of<base::ModelNotFoundError>([] { InputFile file("/no\n/such"); });
  EXPECT_STREQ(missing.what(), "cannot open /no\\x0A/such");
  EXPECT_EQ(missing.why(), "No such file or directory");
  const auto directory =
      error_of<base::ModelNotFoundError>([&] { InputFile file(scratch.path()); });
  EXPECT_EQ(directory.why(), "Is a directory");
}

TEST(InputFile, PipesAndDevicesAreRefusedWithoutWaiting) {
  const ScratchDirectory scratch;
  const auto path = scratch.path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto pipe = error_of<base::ValidationError>([&] { InputFile file(path); });
  EXPECT_EQ(pipe.what(), "cannot read " + path.string());
  EXPECT_EQ(pipe.why(), "it is a pipe; only a regular file will do");
  EXPECT_EQ(pipe.fix(), "save it to a file first, and give the name of that file");
  const auto device = error_of<base::ValidationError>([] { InputFile file("/dev/null"); });
  EXPECT_EQ(device.why(), "it is a device; only a regular file will do");
}

TEST(ReadTextFile, RefusesMoreThanItsLimit) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("x", std::string(2048, 'x'));
  EXPECT_EQ(read_text_file(path, 2048).size(), 2048U);
  const auto error = error_of<base::ValidationError>([&] { read_text_file(path, 1024); });
  EXPECT_EQ(error.why(), "it has 2.00 KiB, more than the 1.00 KiB such a file may have");
}

}  // namespace
}  // namespace lq::io
