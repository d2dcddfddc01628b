#pragma once
// The names beside an output while it is being made.

#include <filesystem>
#include <optional>
#include <vector>

#include "common/stage/run_stage.h"

namespace lq::stage {

struct ResultPaths {
  std::filesystem::path output;  // what the user named
  std::filesystem::path part;    // <output>.lq-part: the first part file, or the directory
  std::vector<std::filesystem::path> parts;    // one per file of the plan
  std::vector<std::filesystem::path> targets;  // where each of them ends
  std::filesystem::path manifest;  // <output>.lq.json, or lq-manifest.json inside a directory
  std::filesystem::path lock;      // <output>.lq-lock
  /// <output>.lq-journal, or <checkpoint directory>/<name>.<hash of output>.lq-journal, so that
  /// outputs of one name in different directories have one each
  std::filesystem::path journal;
};

ResultPaths paths_of(const ResultPlan& result, const std::filesystem::path& checkpoint_dir);

/// "<path>.K-of-N"
std::filesystem::path of_shard(const std::filesystem::path& path, const Shard& shard);
/// Every "<path>.K-of-N" that exists, whatever K and N, sorted. Throws OutputError when the
/// directory cannot be read.
std::vector<std::filesystem::path> shard_files(const std::filesystem::path& path);

}  // namespace lq::stage
