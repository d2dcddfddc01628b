#pragma once
// The limits of this process's control groups. Version 1 has one tree per controller, version 2 one
// tree for all; a limit of any parent counts too.

#include <cstdint>
#include <optional>

#include "common/parallel/memory.h"

namespace lq::parallel {

/// Bytes that the tightest group still allows; empty without a limit.
std::optional<std::uint64_t> cgroup_free_memory(const SystemPaths& paths);
/// Processors' worth of time that the tightest group allows, such as 1.5; empty without a limit.
std::optional<double> cgroup_cpu_quota(const SystemPaths& paths);

}  // namespace lq::parallel
