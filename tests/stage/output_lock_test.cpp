#include "common/stage/output_lock.h"

#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <thread>

#include "common/io/file_status.h"
#include "common/stage/host.h"
#include "tests/support/scratch.h"

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
