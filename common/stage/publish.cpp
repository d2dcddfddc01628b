#include "common/stage/publish.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <set>
#include <stdio.h>
#include <unistd.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"
#include "common/io/replace_directory.h"
#include "common/stage/manifest.h"

namespace lq::stage {
namespace {

bool matches(const std::filesystem::path& path, const FileRecord& record) {
  const auto status = io::file_status(path);
  return status && status->is_regular && status->size == record.size &&
         status->mtime_ns == record.mtime_ns;
}

std::filesystem::path part_of(const std::filesystem::path& target) {
  return target.string() + ".lq-part";
}

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return;
  throw io::output_error(fmt::format("cannot rename {} to {}", base::shown(from), base::shown(to)),
                         errno, to);
}

bool all_match(const std::filesystem::path& root, const std::vector<FileRecord>& records) {
  return std::ranges::all_of(
      records, [&root](const FileRecord& record) { return matches(root / record.path, record); });
}

void publish_files(const ResultPaths& paths, const std::vector<FileRecord>& records,
                   const nlohmann::json& manifest) {
  const std::filesystem::path root = io::directory_of(paths.output);
  const auto place = [&root](const FileRecord& record) {
    const std::filesystem::path target = root / record.path;
    if (matches(part_of(target), record)) return rename_file(part_of(target), target);
    if (matches(target, record)) return;  // a run that was killed here had come this far
    throw base::OutputError(
        fmt::format("cannot put {} in its place", base::shown(target)),
        fmt::format("{} is gone or was changed by another program", base::shown(part_of(target))),
        "leave the .lq-part file alone while a tool runs; run the same command again");
  };
  const bool first_is_old = matches(part_of(root / records[0].path), records[0]);
  if (records.size() > 1 && first_is_old) ::unlink((root / records[0].path).c_str());
  for (std::size_t index = 1; index < records.size(); ++index) place(records[index]);
  if (records.size() > 1) io::sync_directory(root);
  place(records[0]);
  io::sync_directory(root);
  write_manifest(paths.manifest, manifest);
}

void publish_directory(const ResultPaths& paths, const std::vector<FileRecord>& records,
                       const nlohmann::json& manifest) {
  if (all_match(paths.output, records)) {
    // Swapped already; what is left at the part's place is the old directory.
    if (!io::file_status(paths.manifest)) write_manifest(paths.manifest, manifest);
    std::error_code ignored;
    std::filesystem::remove_all(paths.part, ignored);
    std::filesystem::remove_all(io::moved_aside(paths.output), ignored);
    return;
  }
  std::set<std::filesystem::path> directories;
  for (const FileRecord& record : records) {
    directories.insert(io::directory_of(paths.part / record.path));
  }
  for (const auto& directory : directories) io::sync_directory(directory);
  write_manifest(paths.part / paths.manifest.filename(), manifest);
  io::replace_directory(paths.part, paths.output);
}

}  // namespace

Publication publication_state(ResultKind kind, const ResultPaths& paths,
                              const nlohmann::json& manifest) {
  const std::vector<FileRecord> records = recorded_outputs(manifest);
  if (kind == ResultKind::kDirectory) {
    if (all_match(paths.output, records)) return Publication::kBegun;
    return all_match(paths.part, records) ? Publication::kReady : Publication::kImpossible;
  }
  const std::filesystem::path root = io::directory_of(paths.output);
  if (records.empty() || records[0].path != paths.output.filename()) {
    return Publication::kImpossible;
  }
  for (const FileRecord& record : records) {
    const std::filesystem::path target = root / record.path;
    if (!matches(part_of(target), record) && !matches(target, record)) {
      return Publication::kImpossible;
    }
  }
  return matches(root / records[0].path, records[0]) ? Publication::kBegun : Publication::kReady;
}

void publish(ResultKind kind, const ResultPaths& paths, const nlohmann::json& manifest) {
  const std::vector<FileRecord> records = recorded_outputs(manifest);
  if (kind == ResultKind::kDirectory) {
    publish_directory(paths, records, manifest);
  } else {
    publish_files(paths, records, manifest);
  }
}

void remove_journals(const ResultPaths& paths) {
  for (const auto& journal : shard_files(paths.journal)) ::unlink(journal.c_str());
  ::unlink(paths.journal.c_str());
}

}  // namespace lq::stage
