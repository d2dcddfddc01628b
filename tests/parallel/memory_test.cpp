#include "common/parallel/memory.h"

#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "common/parallel/cgroup.h"
#include "tests/support/scratch.h"

namespace lq::parallel {
namespace {

using lq::testing::ScratchDirectory;

class Machine : public ::testing::Test {
 protected:
  void proc(const std::string& name, const std::string& text) {
    scratch_.write("proc/" + name, text);
  }
  void group(const std::string& name, const std::string& text) {
    scratch_.write("cg/" + name, text);
  }
  ScratchDirectory scratch_;
  SystemPaths paths_{scratch_.path() / "proc", scratch_.path() / "cg"};
};

TEST_F(Machine, WithoutAnyFileNothingIsKnown) {
  EXPECT_EQ(available_memory(paths_), 0U);
  EXPECT_EQ(current_rss(paths_), 0U);
  EXPECT_FALSE(cgroup_cpu_quota(paths_));
  EXPECT_GE(allowed_cpus(paths_), 1);
}

TEST_F(Machine, ReadsMemAvailable) {
  proc("meminfo", "MemTotal: 100 kB\nMemFree:  10 kB\nMemAvailable:   50 kB\n");
  EXPECT_EQ(available_memory(paths_), 50U * 1024);
}

TEST_F(Machine, TakesTheTightestGroupOfVersion2WithoutItsCache) {
  proc("meminfo", "MemAvailable: 50000 kB\n");
  proc("self/cgroup", "0::/job/step\n");
  group("job/memory.max", "100000\n");
  group("job/memory.current", "40000\n");
  group("job/memory.stat", "anon 1\ninactive_file 15000\n");
  group("job/step/memory.max", "max\n");
  group("job/step/memory.current", "40000\n");
  EXPECT_EQ(available_memory(paths_), 75'000U);
  group("job/step/memory.max", "50000\n");
  EXPECT_EQ(available_memory(paths_), 10'000U);
  group("job/step/memory.max", "30000\n");
  EXPECT_EQ(cgroup_free_memory(paths_), 0U);
}

TEST_F(Machine, ReadsVersion1AndItsUnlimitedValue) {
  proc("meminfo", "MemAvailable: 50 kB\n");
  proc("self/cgroup", "5:cpuacct,cpu:/c\n4:memory:/a/b\nbroken\n");
  group("memory/memory.limit_in_bytes", "9223372036854771712\n");
  group("memory/memory.usage_in_bytes", "1000\n");
  EXPECT_EQ(available_memory(paths_), 50U * 1024);
  group("memory/a/memory.limit_in_bytes", "30000\n");
  group("memory/a/memory.usage_in_bytes", "10000\n");
  group("memory/a/memory.stat", "total_inactive_file 4000\n");
  EXPECT_EQ(available_memory(paths_), 24'000U);
  group("cpu/c/cpu.cfs_quota_us", "150000\n");
  group("cpu/c/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(paths_).value_or(0), 1.5);
  EXPECT_LE(allowed_cpus(paths_), 2);
  group("cpu/c/cpu.cfs_quota_us", "-1\n");
  EXPECT_FALSE(cgroup_cpu_quota(paths_));
}

TEST_F(Machine, QuotaOfAParentLimitsProcessors) {
  proc("self/cgroup", "0::/job/step\n");
  group("job/cpu.max", "50000 100000\n");
  group("job/step/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(paths_).value_or(0), 0.5);
  EXPECT_EQ(allowed_cpus(paths_), 1);
}

TEST_F(Machine, NumbersTooLargeForAWordAreNoLimit) {
  proc("self/cgroup", "0::/\n");
  group("memory.max", "99999999999999999999999\n");
  group("memory.current", "1\n");
  EXPECT_FALSE(cgroup_free_memory(paths_));
}

TEST_F(Machine, TellsThePeakOfTheProgramItself) {
  EXPECT_GT(peak_rss(paths_), 0U) << "of who knows what, where nothing is told";
  proc("self/status", "Name:\tx\nVmHWM:\t    1234 kB\nVmRSS:\t 999 kB\n");
  EXPECT_EQ(peak_rss(paths_), 1234U * 1024);
}

TEST(ThisMachine, HasMemoryAndProcessors) {
  EXPECT_GT(available_memory(), 1U << 20);
  EXPECT_GE(peak_rss(), current_rss() / 2);
  EXPECT_GT(current_rss(), 1U << 20);
  EXPECT_LE(allowed_cpus(), static_cast<int>(std::thread::hardware_concurrency()));
}

TEST_F(Machine, IsAskedForItsMemoryOnceInAWhile) {
  proc("meminfo", "MemAvailable: 50 kB\n");
  SampledMemory memory(paths_);
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_EQ(memory.available(), 50U * 1024);
  proc("meminfo", "MemAvailable: 70 kB\n");
  const std::uint64_t soon = memory.available();
  // A machine that stood still for that long has a reason to be asked again.
  if (std::chrono::steady_clock::now() - asked < SampledMemory::kSampleInterval) {
    EXPECT_EQ(soon, 50U * 1024);
  }
  std::this_thread::sleep_for(2 * SampledMemory::kSampleInterval);
  EXPECT_EQ(memory.available(), 70U * 1024);
}

}  // namespace
}  // namespace lq::parallel
