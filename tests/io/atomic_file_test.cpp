#include "common/io/atomic_file.h"

#include <cerrno>
#include <gtest/gtest.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/io/file_status.h"
#include "tests/support/scratch.h"

namespace {

bool nothing_random = false;

}  // namespace

// In place of the C library's, so that a system without random numbers can be had.
extern "C" ssize_t getrandom(void* buffer, size_t size, unsigned int flags) {
  if (!nothing_random) return ::syscall(SYS_getrandom, buffer, size, flags);
  errno = ENOSYS;
  return -1;
}

namespace lq::io {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const ScratchDirectory scratch;
  const auto path = scratch.write("x.json", "old");
  {
    AtomicFile file(path);
    file.write("new ");
    file.write("text");
    EXPECT_EQ(read_file(path), "old");
    EXPECT_TRUE(file.temporary().filename().string().starts_with(".x.json.lq-tmp."));
    EXPECT_EQ(file.temporary().parent_path(), scratch.path());
    file.commit();
  }
  EXPECT_EQ(read_file(path), "new text");
}

TEST(AtomicFile, RemovesItsTemporaryWithoutCommit) {
  const ScratchDirectory scratch;
  { AtomicFile file(scratch.path() / "x"); }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(AtomicFile, HasANameOfItsOwnWhereNothingIsRandom) {
  const ScratchDirectory scratch;
  nothing_random = true;
  const AtomicFile first(scratch.path() / "x"), second(scratch.path() / "x");
  nothing_random = false;
  EXPECT_NE(first.temporary(), second.temporary());
}

TEST(AtomicFile, HasTheModeThatTheUmaskSays) {
  const ScratchDirectory scratch;
  const mode_t old = ::umask(027);
  write_file_atomically(scratch.path() / "x", "");
  ::umask(old);
  EXPECT_EQ(std::filesystem::status(scratch.path() / "x").permissions(),
            std::filesystem::perms(0640));
}

TEST(AtomicFile, MissingDirectoryAndDirectoryInTheWayAreOutputErrors) {
  const ScratchDirectory scratch;
  const auto error =
      error_of<base::OutputError>([&] { write_file_atomically(scratch.path() / "none/x", ""); });
  EXPECT_EQ(error.what(), "cannot write " + (scratch.path() / "none/x").string());
  EXPECT_EQ(error.fix(),
            "make the directory first: mkdir -p " + (scratch.path() / "none").string());
  std::filesystem::create_directory(scratch.path() / "d");
  EXPECT_THROW(write_file_atomically(scratch.path() / "d", ""), base::OutputError);
  EXPECT_TRUE(std::filesystem::is_directory(scratch.path() / "d"));
}

TEST(AtomicFile, StaleTemporariesOfItsNameAndItsShardsAreRemoved) {
  const ScratchDirectory scratch;
  for (const char* name : {".x.lq-tmp.1", ".x.2-of-3.lq-tmp.2", ".xy.lq-tmp.3", ".x.other"}) {
    scratch.write(name, "");
  }
  remove_stale_temporaries(scratch.path() / "x");
  EXPECT_FALSE(file_status(scratch.path() / ".x.lq-tmp.1"));
  EXPECT_FALSE(file_status(scratch.path() / ".x.2-of-3.lq-tmp.2"));
  EXPECT_TRUE(file_status(scratch.path() / ".xy.lq-tmp.3"));
  EXPECT_TRUE(file_status(scratch.path() / ".x.other"));
}

}  // namespace
}  // namespace lq::io
