#include "common/parallel/memory.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "common/parallel/cgroup.h"

namespace lq::parallel {
namespace {

/// Of a line "key:  123 kB", in bytes.
std::optional<std::uint64_t> bytes_under(std::string_view key, const std::filesystem::path& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    return std::uint64_t{std::strtoull(line.c_str() + key.size(), nullptr, 10)} * 1024;
  }
  return {};
}

std::optional<std::uint64_t> mem_available(const SystemPaths& paths) {
  return bytes_under("MemAvailable:", paths.proc / "meminfo");
}

int affinity_cpus() {
  // More processors than a cpu_set_t has need a larger set; the count of all of them is then the
  // best guess.
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

std::uint64_t available_memory(const SystemPaths& paths) {
  constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t smaller =
      std::min(mem_available(paths).value_or(kNone), cgroup_free_memory(paths).value_or(kNone));
  return smaller == kNone ? 0 : smaller;
}

std::uint64_t SampledMemory::available() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now >= next_) {
    last_ = available_memory(paths_);
    next_ = now + kSampleInterval;
  }
  return last_;
}

/// getrusage, for want of better, counts what the process was before its last exec: a part of who
/// started it.
std::uint64_t peak_rss(const SystemPaths& paths) {
  if (const auto peak = bytes_under("VmHWM:", paths.proc / "self/status")) return *peak;
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::uint64_t current_rss(const SystemPaths& paths) {
  std::ifstream file(paths.proc / "self/statm");
  std::uint64_t total_pages = 0, resident_pages = 0;
  if (!(file >> total_pages >> resident_pages)) return 0;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

int allowed_cpus(const SystemPaths& paths) {
  int cpus = affinity_cpus();
  if (const auto quota = cgroup_cpu_quota(paths)) {
    cpus = std::min(cpus, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(cpus, 1);
}

}  // namespace lq::parallel
