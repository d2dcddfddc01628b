#include "common/parallel/cgroup.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace lq::parallel {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<std::uint64_t> number_in(const std::filesystem::path& path) {
  const std::string text = first_line(path);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return {};
  try {
    return std::stoull(text);
  } catch (const std::out_of_range&) {
    return {};
  }
}

// A line "key value" of a statistics file.
std::uint64_t entry_of(const std::filesystem::path& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == key) return value;
  }
  return 0;
}

// The group's own directory and its parents up to the root of the tree. Inside a container the path
// may name directories that are not visible; the root that is mounted there then holds the limits.
std::vector<std::filesystem::path> with_parents(const std::filesystem::path& root,
                                                const std::string& group) {
  std::vector<std::filesystem::path> found;
  std::filesystem::path path = std::filesystem::path(group).relative_path();
  while (!path.empty()) {
    found.push_back(root / path);
    path = path.parent_path();
  }
  found.push_back(root);
  return found;
}

struct Groups {
  std::vector<std::filesystem::path> v2;
  std::vector<std::filesystem::path> memory_v1, cpu_v1;
};

// Lines of /proc/self/cgroup: "0::/path" for version 2, "4:memory:/path" for version 1.
Groups own_groups(const SystemPaths& paths) {
  Groups groups;
  std::ifstream file(paths.proc / "self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string group = line.substr(second + 1);
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (controllers.empty()) {
      groups.v2 = with_parents(paths.cgroup, group);
      for (const auto& path : with_parents(paths.cgroup / "unified", group)) {
        groups.v2.push_back(path);
      }
      continue;
    }
    std::istringstream names(controllers);
    for (std::string name; std::getline(names, name, ',');) {
      if (name == "memory") groups.memory_v1 = with_parents(paths.cgroup / "memory", group);
      if (name == "cpu") groups.cpu_v1 = with_parents(paths.cgroup / "cpu", group);
    }
  }
  return groups;
}

template <class T>
void keep_smaller(std::optional<T>& kept, T value) {
  if (!kept || value < *kept) kept = value;
}

}  // namespace

std::optional<std::uint64_t> cgroup_free_memory(const SystemPaths& paths) {
  const Groups groups = own_groups(paths);
  std::optional<std::uint64_t> free;
  const auto consider = [&free](const std::filesystem::path& group, const char* limit_name,
                                const char* usage_name) {
    const auto limit = number_in(group / limit_name);
    const auto usage = number_in(group / usage_name);
    if (!limit || !usage) return;
    // Version 1 counts children's cache under total_*; version 2 always counts children.
    const std::uint64_t cache = std::max(entry_of(group / "memory.stat", "inactive_file"),
                                         entry_of(group / "memory.stat", "total_inactive_file"));
    const std::uint64_t used = *usage > cache ? *usage - cache : 0;
    keep_smaller(free, *limit > used ? *limit - used : std::uint64_t{0});
  };
  for (const auto& group : groups.v2) consider(group, "memory.max", "memory.current");
  for (const auto& group : groups.memory_v1) {
    consider(group, "memory.limit_in_bytes", "memory.usage_in_bytes");
  }
  return free;
}

std::optional<double> cgroup_cpu_quota(const SystemPaths& paths) {
  const Groups groups = own_groups(paths);
  std::optional<double> quota;
  for (const auto& group : groups.v2) {
    std::istringstream line(first_line(group / "cpu.max"));  // "150000 100000" or "max 100000"
    double time = 0, period = 0;
    if (line >> time >> period && period > 0) keep_smaller(quota, time / period);
  }
  for (const auto& group : groups.cpu_v1) {
    const auto time = number_in(group / "cpu.cfs_quota_us");  // "-1" = no limit
    const auto period = number_in(group / "cpu.cfs_period_us");
    if (time && period && *period > 0) {
      keep_smaller(quota, static_cast<double>(*time) / static_cast<double>(*period));
    }
  }
  return quota;
}

}  // namespace lq::parallel
