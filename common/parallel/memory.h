#pragma once
// What this machine offers a run: memory and processors, as the kernel and the container's limits tell.

#include <cstdint>

namespace lq::parallel {

/// The smaller of MemAvailable and what the cgroup (v1 or v2) still allows, in bytes; 0 when nothing tells.
std::uint64_t available_memory();
/// Peak resident set of this process in bytes.
std::uint64_t peak_rss();
/// Allowed processors: affinity and cgroup quota, at least 1.
int allowed_cpus();

}  // namespace lq::parallel
