#pragma once
// What this machine offers a run: memory and processors, as the kernel and the container's limits
// tell.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <utility>

namespace lq::parallel {

/// Where to look. The defaults are the machine's own; tests give a directory of theirs.
struct SystemPaths {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
};

/// The smaller of MemAvailable and what the cgroup (v1 or v2, with all its parents) still allows,
/// in bytes; 0 when nothing tells. Pages of the file cache count as free: the kernel gives them up
/// on demand.
std::uint64_t available_memory(const SystemPaths& paths = {});
/// available_memory() for those who ask often: the system is asked at most once every
/// kSampleInterval. Thread-safe.
class SampledMemory {
 public:
  static constexpr std::chrono::milliseconds kSampleInterval{100};
  explicit SampledMemory(SystemPaths paths = {}) : paths_(std::move(paths)) {}
  std::uint64_t available();

 private:
  const SystemPaths paths_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point next_{};
  std::uint64_t last_ = 0;
};
/// Peak resident set of this process in bytes.
std::uint64_t peak_rss(const SystemPaths& paths = {});
/// Resident set of this process now, in bytes; 0 when nothing tells.
std::uint64_t current_rss(const SystemPaths& paths = {});
/// Allowed processors: affinity and cgroup quota (rounded up), at least 1.
int allowed_cpus(const SystemPaths& paths = {});

}  // namespace lq::parallel
