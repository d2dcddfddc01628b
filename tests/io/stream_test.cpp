#include "common/io/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::error_of;

/// A stream that holds `bytes`.
class Stream {
 public:
  explicit Stream(const std::string& bytes)
      : fd_(::open(scratch_.write("x", bytes).c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Stream() { ::close(fd_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  int fd() const { return fd_; }

 private:
  testing::ScratchDirectory scratch_;
  int fd_;
};

TEST(Stream, IsReadToItsEndUnchanged) {
  std::string bytes(200'000, 'x');
  bytes[0] = '\0';
  bytes[70'000] = '\r';
  bytes.back() = '\n';
  EXPECT_TRUE(read_stream(Stream(bytes).fd(), bytes.size(), "s", "f") == bytes);
  EXPECT_EQ(read_stream(Stream("").fd(), 0, "s", "f"), "");
}

TEST(Stream, ThatHasMoreThanAllowedIsRefused) {
  const auto error = error_of<base::ValidationError>(
      [] { read_stream(Stream(std::string(2000, 'x')).fd(), 1024, "cannot read it", "fix it"); });
  EXPECT_STREQ(error.what(), "cannot read it");
  EXPECT_EQ(error.why(), "more than 1.00 KiB come from it");
  EXPECT_EQ(error.fix(), "fix it");
}

TEST(Stream, ThatCannotBeReadSaysWhy) {
  const auto error =
      error_of<base::ModelNotFoundError>([] { read_stream(-1, 10, "cannot read it", "fix it"); });
  EXPECT_STREQ(error.what(), "cannot read it");
  EXPECT_EQ(error.why(), "Bad file descriptor");
  EXPECT_EQ(error.fix(), "fix it");
}

}  // namespace
}  // namespace lq::io
