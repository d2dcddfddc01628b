#include "common/stage/preflight.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"

namespace lq::stage {
namespace {

void check_place(const ResultPlan& result, const std::filesystem::path& target,
                 const Input& input) {
  if (input.path.empty()) return;
  const std::string what = fmt::format("cannot write {}", base::shown(target));
  const char* fix = "choose another output with -o";
  const auto status = io::file_status(input.path);
  if (status && status->is_directory && io::is_inside(target, input.path)) {
    throw base::UsageError(
        what, fmt::format("it lies inside the input directory {}", base::shown(input.path)), fix);
  }
  if (io::same_file(target, input.path)) {
    throw base::UsageError(what, fmt::format("it is the input {}", base::shown(input.path)), fix);
  }
  for (const InputFile& file : input.files) {
    if (io::same_file(target, file.path)) {
      throw base::UsageError(what, fmt::format("it is the input {}", base::shown(file.path)), fix);
    }
    if (result.kind == ResultKind::kDirectory && io::is_inside(file.path, target)) {
      throw base::UsageError(what, fmt::format("it holds the input {}", base::shown(file.path)),
                             fix);
    }
  }
}

void require_writable(const std::filesystem::path& directory, const std::filesystem::path& file) {
  const std::string what = fmt::format("cannot write {}", base::shown(file));
  const auto status = io::file_status(directory);
  if (!status) throw io::output_error(what, errno, file);
  if (!status->is_directory) throw io::output_error(what, ENOTDIR, file);
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw io::output_error(what, errno, file);
  }
}

/// Parts, journals, manifests and their temporaries have longer names than the file itself.
void require_room_for_suffixes(const std::filesystem::path& file) {
  constexpr std::size_t kLongestName = 255, kLongestSuffix = 40;
  if (file.filename().string().size() + kLongestSuffix <= kLongestName) return;
  throw base::OutputError(
      fmt::format("cannot write {}", base::shown(file)),
      fmt::format("its name has {} bytes, and files beside it need names {} longer, up to {}",
                  file.filename().string().size(), kLongestSuffix, kLongestName),
      "choose a shorter name with -o");
}

std::uint64_t file_size_limit() {
  struct rlimit limit = {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return UINT64_MAX;
  }
  return limit.rlim_cur;
}

/// Bytes that earlier runs left in the scratch folder, but for files that the plan names.
std::uint64_t scratch_taken(const ResultPlan& result, const ResultPaths& paths) {
  if (result.scratch.empty()) return 0;
  std::uint64_t taken = 0;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(paths.part / result.scratch, ignored)) {
    const auto status = io::file_status(entry.path());
    if (!status || !status->is_regular) continue;
    if (std::ranges::find(paths.parts, entry.path()) == paths.parts.end()) {
      taken += status->allocated_bytes;
    }
  }
  return taken;
}

}  // namespace

void check_places(const Plan& plan) {
  for (const ResultPlan& result : plan.results) {
    for (const Input& input : result.inputs) {
      if (result.kind == ResultKind::kDirectory) {
        check_place(result, result.path, input);
        continue;
      }
      for (const OutputFile& file : result.files) check_place(result, file.path, input);
    }
  }
}

void check_side_file(const Plan& plan, const std::filesystem::path& file,
                     const std::string& option) {
  const std::string what = fmt::format("cannot write {}", base::shown(file));
  const auto refuse_if_same = [&](const std::filesystem::path& other, const char* kind) {
    const bool same =
        io::same_file(file, other) || std::filesystem::absolute(file).lexically_normal() ==
                                          std::filesystem::absolute(other).lexically_normal();
    if (!same) return;
    throw base::UsageError(what, fmt::format("it is the {} {}", kind, base::shown(other)),
                           "choose another " + option);
  };
  for (const ResultPlan& result : plan.results) {
    const ResultPaths paths = paths_of(result, {});
    for (const auto& own : {paths.output, paths.part, paths.manifest, paths.lock, paths.journal}) {
      refuse_if_same(own, "result's own");
    }
    for (const std::filesystem::path& target : paths.targets) {
      refuse_if_same(target, "result's own");
    }
    for (const auto& own : {paths.output, paths.part}) {
      if (result.kind != ResultKind::kDirectory || !io::is_inside(file, own)) continue;
      throw base::UsageError(what, fmt::format("it lies inside the result {}", base::shown(own)),
                             "choose another " + option);
    }
    for (const Input& input : result.inputs) {
      if (input.path.empty()) continue;
      const auto status = io::file_status(input.path);
      if (status && status->is_directory && io::is_inside(file, input.path)) {
        throw base::UsageError(
            what, fmt::format("it lies inside the input directory {}", base::shown(input.path)),
            "choose another " + option);
      }
      refuse_if_same(input.path, "input");
      for (const InputFile& one : input.files) refuse_if_same(one.path, "input");
    }
  }
  require_writable(io::directory_of(file), file);
}

void check_memory(const Plan& plan, std::uint64_t limit) {
  if (limit == 0 || plan.memory_bytes <= limit) return;
  throw base::OutOfMemoryError(
      "cannot start: memory is too small",
      fmt::format("{} are needed and {} are available", base::format_bytes(plan.memory_bytes),
                  base::format_bytes(limit)),
      plan.memory_advice.empty()
          ? "use a machine with more memory, or raise the limit with --memory"
          : plan.memory_advice);
}

void check_directories(const ResultPaths& paths, const std::filesystem::path& checkpoint_dir) {
  for (const std::filesystem::path& target : paths.targets) require_room_for_suffixes(target);
  require_writable(io::directory_of(paths.output), paths.output);
  if (!checkpoint_dir.empty()) require_writable(checkpoint_dir, paths.journal);
}

void check_disk(std::span<const DiskNeed> needs) {
  struct Volume {
    std::filesystem::path directory, output;
    std::uint64_t needed = 0;
  };
  std::map<std::uint64_t, Volume> volumes;  // by device
  const std::uint64_t largest = file_size_limit();
  for (const DiskNeed& need : needs) {
    const std::filesystem::path directory = io::directory_of(need.paths->output);
    const auto status = io::file_status(directory);
    if (!status) continue;
    Volume& volume =
        volumes.try_emplace(status->device, directory, need.paths->output).first->second;
    for (std::size_t file = 0; file < need.result->files.size(); ++file) {
      const OutputFile& output = need.result->files[file];
      const std::uint64_t size = output.is_open() ? output.expected_size : output.size;
      if (size > largest) {
        throw io::output_error(
            fmt::format("cannot write {} of {}", base::shown(need.paths->targets[file]),
                        base::format_bytes(size)),
            EFBIG, need.paths->targets[file]);
      }
      const auto part = io::file_status(need.paths->parts[file]);
      const std::uint64_t taken = part ? part->allocated_bytes : 0;
      volume.needed += size > taken ? size - taken : 0;
    }
    const std::uint64_t scratch = scratch_taken(*need.result, *need.paths);
    volume.needed += need.result->scratch_bytes - std::min(scratch, need.result->scratch_bytes);
  }
  for (const auto& entry : volumes) {
    const Volume& volume = entry.second;
    const auto free = io::free_space(volume.directory);
    if (!free || volume.needed <= *free) continue;
    throw base::OutputError(
        fmt::format("cannot write {}", base::shown(volume.output)),
        fmt::format("the disk is too small: {} are needed and {} are free in {}",
                    base::format_bytes(volume.needed), base::format_bytes(*free),
                    base::shown(volume.directory)),
        fmt::format("free space there (df -h {}), or choose another place with -o",
                    io::shell_quoted(volume.directory)));
  }
}

}  // namespace lq::stage
