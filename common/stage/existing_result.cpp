#include "common/stage/existing_result.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/stage/host.h"
#include "common/stage/manifest.h"
#include "common/stage/record.h"

namespace lq::stage {
namespace {

// The directory that recorded paths are relative to.
std::filesystem::path root_of(const ResultPlan& result, const ResultPaths& paths) {
  return result.kind == ResultKind::kDirectory ? paths.output : io::directory_of(paths.output);
}

// Something at the place that has nothing to do with us, or nothing at all; empty when a manifest
// has to decide.
std::optional<ExistingResult> examine_places(const ResultPlan& result, const ResultPaths& paths) {
  if (result.kind == ResultKind::kDirectory) {
    const auto status = io::file_status(paths.output);
    std::error_code ignored;
    if (!status || (status->is_directory && std::filesystem::is_empty(paths.output, ignored))) {
      return ExistingResult{};
    }
    if (status->is_directory) return std::nullopt;
    return ExistingResult{.state = ExistingState::kForeign, .why = "it is not a directory"};
  }
  bool any = false;
  for (const auto& target : paths.targets) {
    const auto status = io::file_status(target);
    if (!status) continue;
    any = true;
    if (status->is_regular) continue;
    return ExistingResult{
        .state = ExistingState::kUnreplaceable,
        .why = fmt::format("{} {}", base::shown(target),
                           status->is_directory ? "is a directory" : "is not a regular file")};
  }
  if (!any) return ExistingResult{};
  return std::nullopt;
}

ExistingResult foreign(std::string why) {
  return {.state = ExistingState::kForeign, .why = std::move(why)};
}

// Compares the files with their records; false, with the reason, when one was changed.
bool files_intact(const std::filesystem::path& root, const std::vector<FileRecord>& records,
                  KnownHashes& hashes, ExistingResult& existing) {
  existing.complete = !records.empty();
  for (const FileRecord& record : records) {
    const std::filesystem::path path = root / record.path;
    const auto status = io::file_status(path);
    if (!status) {
      existing.complete = false;
      continue;
    }
    const bool same_time = status->mtime_ns == record.mtime_ns;
    if (!same_time) existing.times_differ = true;
    if (status->size == record.size && (same_time || hashes.of_file(path) == record.sha256)) {
      continue;
    }
    existing = foreign(fmt::format("{} was changed after it was made", base::shown(path)));
    return false;
  }
  return true;
}

bool is_recorded(const std::filesystem::path& target, const std::filesystem::path& root,
                 const std::vector<FileRecord>& records) {
  return std::ranges::any_of(records, [&](const FileRecord& record) {
    return (root / record.path).lexically_normal() == target.lexically_normal();
  });
}

}  // namespace

ExistingResult examine_existing(const ResultPlan& result, const ResultPaths& paths,
                                KnownHashes& hashes) {
  if (auto decided = examine_places(result, paths)) return *decided;
  auto manifest = read_manifest(paths.manifest);
  if (!manifest) {
    return foreign(fmt::format("a {} is there that has no manifest of ours ({})",
                               result.kind == ResultKind::kDirectory ? "directory" : "file",
                               base::shown(paths.manifest.filename())));
  }
  if ((*manifest)["tool"] != result.tool) {
    return foreign(fmt::format("it was made by {}",
                               base::escape_controls((*manifest)["tool"].get<std::string>())));
  }
  const std::filesystem::path root = root_of(result, paths);
  const std::vector<FileRecord> records = recorded_outputs(*manifest);
  if (result.kind == ResultKind::kFiles) {
    for (const auto& target : paths.targets) {
      if (io::file_status(target) && !is_recorded(target, root, records)) {
        return foreign(fmt::format("{} is there and is not in the manifest", base::shown(target)));
      }
    }
  }
  ExistingResult existing{.state = ExistingState::kIntact};
  if (!files_intact(root, records, hashes, existing)) return existing;
  existing.current = existing.complete && (*manifest)["fingerprint"] == result.fingerprint();
  existing.manifest = std::move(*manifest);
  return existing;
}

void require_replaceable(const ExistingResult& existing, const ResultPaths& paths, bool force) {
  const std::string what = fmt::format("cannot replace {}", base::shown(paths.output));
  if (existing.state == ExistingState::kUnreplaceable) {
    throw base::OutputError(what, existing.why, "choose another output with -o");
  }
  if (existing.state == ExistingState::kForeign && !force) {
    throw base::OutputError(what, existing.why,
                            "choose another output with -o, or replace it with --force");
  }
}

void settle_times(const ResultPlan& result, const ResultPaths& paths,
                  const ExistingResult& existing) {
  std::int64_t newest_input = 0;
  for (const Input& input : result.inputs) {
    for (const InputFile& file : input.files) newest_input = std::max(newest_input, file.mtime_ns);
  }
  const std::filesystem::path root = root_of(result, paths);
  std::vector<FileRecord> records = recorded_outputs(existing.manifest);
  const auto of_output = io::file_status(paths.output);
  bool older = of_output && of_output->mtime_ns < newest_input;
  for (FileRecord& record : records) {
    const auto status = io::file_status(root / record.path);
    if (!status) return;
    record.mtime_ns = status->mtime_ns;
    if (result.kind == ResultKind::kFiles) older = older || status->mtime_ns < newest_input;
  }
  const std::int64_t time = std::max(now_ns(), newest_input);
  if (older && result.kind == ResultKind::kFiles) {
    for (FileRecord& record : records) {
      io::set_mtime(root / record.path, time);
      record.mtime_ns = io::file_status(root / record.path).value_or(io::FileStatus{}).mtime_ns;
    }
  }
  nlohmann::json manifest = existing.manifest;
  manifest["inputs"] = inputs_record(result.inputs);
  manifest["outputs"] = outputs_record(records);
  if (manifest != existing.manifest) write_manifest(paths.manifest, manifest);
  if (older && result.kind == ResultKind::kDirectory) io::set_mtime(paths.output, time);
}

std::string up_to_date_text(const nlohmann::json& manifest) {
  const auto text = [&manifest](const char* key) {
    return base::escape_controls(text_or(manifest, key, "unknown"));
  };
  return fmt::format("up to date (made {} by {} {})", text("time"), text("tool"), text("version"));
}

}  // namespace lq::stage
