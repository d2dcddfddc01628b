#include "common/stage/output_lock.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <sys/file.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "common/io/file_status.h"
#include "common/stage/host.h"
#include "common/stage/paths.h"
#include "tests/support/scratch.h"

namespace {

bool as_on_nfs = false;

}  // namespace

// In place of the C library's: NFS turns flock into byte range locks, which want a descriptor that
// may write for an exclusive lock.
extern "C" int flock(int fd, int operation) noexcept {
  const bool may_write = (::fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
  if (as_on_nfs && (operation & LOCK_EX) != 0 && !may_write) {
    errno = EBADF;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_flock, fd, operation));
}

namespace lq::stage {
namespace {

using lq::testing::error_of;
using lq::testing::ScratchDirectory;

class OutputLockTest : public ::testing::Test {
 protected:
  LockRequest request(LockMode mode = LockMode::kExclusive, bool use_flock = true) {
    LockRequest made;
    made.output = scratch_.path() / "x";
    made.path = path_;
    made.mode = mode;
    made.argv = {"lq-toy", "a b\n"};
    made.use_flock = use_flock;
    return made;
  }
  ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_.path() / "x.lq-lock";
};

TEST_F(OutputLockTest, ExcludesASecondHolderAndIsRemovedAtTheEnd) {
  {
    const OutputLock lock(request());
    const auto error = error_of<base::BusyError>([this] { OutputLock second(request()); });
    EXPECT_NE(error.why().find(host_name()), std::string::npos);
    EXPECT_NE(error.why().find("lq-toy a b\\x0A"), std::string::npos) << error.why();
    EXPECT_THROW(probe_lock(scratch_.path() / "x", path_, LockMode::kShared), base::BusyError);
  }
  EXPECT_FALSE(io::file_status(path_));
  const OutputLock again(request());
}

TEST_F(OutputLockTest, AProbeFindsAHolderOnNfs) {
  const OutputLock shared(request(LockMode::kShared));
  as_on_nfs = true;
  EXPECT_THROW(probe_lock(scratch_.path() / "x", path_, LockMode::kExclusive), base::BusyError);
  as_on_nfs = false;
}

TEST_F(OutputLockTest, AProbeNeedsNoRightToWrite) {
  const OutputLock lock(request());
  std::filesystem::permissions(scratch_.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(path_, std::filesystem::perms(0444));
  const bool root = ::geteuid() == 0;  // may write everywhere, so it steps down
  ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);
  EXPECT_THROW(probe_lock(scratch_.path() / "x", path_, LockMode::kExclusive), base::BusyError);
  ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
}

TEST_F(OutputLockTest, SharedHoldersExcludeOnlyExclusiveOnes) {
  std::optional<OutputLock> first(request(LockMode::kShared));
  {
    const OutputLock second(request(LockMode::kShared));
    EXPECT_THROW(OutputLock{request()}, base::BusyError);
    probe_lock(scratch_.path() / "x", path_, LockMode::kShared);
  }
  EXPECT_TRUE(io::file_status(path_)) << "removed although it was held";
  EXPECT_THROW(OutputLock{request()}, base::BusyError);
  first.reset();
  EXPECT_FALSE(io::file_status(path_));
}

TEST_F(OutputLockTest, WhoWantsToShareIsToldOfTheSoleHolderAndNotOfItself) {
  LockRequest sole = request();
  sole.argv = {"lq-toy", "sole"};
  const OutputLock holder(std::move(sole));
  LockRequest own = request();
  own.path = of_shard(path_, Shard{1, 2});
  const OutputLock lock_of_shard(std::move(own));
  const auto error =
      error_of<base::BusyError>([this] { OutputLock second(request(LockMode::kShared)); });
  EXPECT_NE(error.why().find("lq-toy sole"), std::string::npos) << error.why();
}

TEST_F(OutputLockTest, AFileLeftByADeadRunLocksNothing) {
  std::ofstream(path_) << "{\"pid\":1}";
  probe_lock(scratch_.path() / "x", path_, LockMode::kExclusive);
  const OutputLock lock(request());
}

TEST_F(OutputLockTest, UnreadableHolderIsAnUnknownProcess) {
  const OutputLock lock(request());
  std::ofstream(path_) << "garbage";
  const auto error = error_of<base::BusyError>([this] { OutputLock second(request()); });
  EXPECT_EQ(error.why(), "another run is making it (an unknown process)");
}

TEST_F(OutputLockTest, WaitingEndsWithAStopRequest) {
  const OutputLock lock(request());
  LockRequest waiting = request();
  waiting.wait_seconds = 1e9;
  waiting.stop = [] { return StopReason::kInterrupt; };
  EXPECT_THROW(OutputLock{waiting}, Interrupted);
}

TEST_F(OutputLockTest, WithoutFlockAFreshFileExcludesAndAStaleOneDoesNot) {
  const std::filesystem::path held = path_.string() + ".held";
  {
    const OutputLock lock(request(LockMode::kExclusive, false));
    EXPECT_TRUE(io::file_status(held));
    EXPECT_THROW(OutputLock{request(LockMode::kExclusive, false)}, base::BusyError);
    EXPECT_THROW(probe_lock(scratch_.path() / "x", path_, LockMode::kExclusive), base::BusyError);
    const OutputLock shared(request(LockMode::kShared, false));
  }
  EXPECT_FALSE(io::file_status(held));
  std::ofstream(held) << "{}";
  EXPECT_THROW(OutputLock{request(LockMode::kExclusive, false)}, base::BusyError);
  io::set_mtime(held, now_ns() - 301'000'000'000);
  const OutputLock lock(request(LockMode::kExclusive, false));
}

TEST_F(OutputLockTest, WithoutFlockTheHolderKeepsItsFileFresh) {
  const std::filesystem::path held = path_.string() + ".held";
  LockRequest made = request(LockMode::kExclusive, false);
  made.refresh_every = std::chrono::milliseconds(5);
  const OutputLock lock(std::move(made));
  io::set_mtime(held, 1);
  while (io::file_status(held)->mtime_ns == 1) std::this_thread::yield();
}

TEST_F(OutputLockTest, MissingDirectoryIsAnOutputError) {
  path_ = scratch_.path() / "none/x.lq-lock";
  EXPECT_THROW(OutputLock{request()}, base::OutputError);
  EXPECT_THROW(OutputLock{request(LockMode::kExclusive, false)}, base::OutputError);
}

}  // namespace
}  // namespace lq::stage
