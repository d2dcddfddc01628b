#pragma once
// The growing result: every file of it, at full size from the start.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/io/output_file.h"
#include "common/stage/layout.h"
#include "common/stage/paths.h"

namespace lq::stage {

/// Thread rule: write, hash_of and sync may be called from several threads at once.
class PartFiles {
 public:
  /// Creates or adopts the part files, reserves all their space and zeroes every byte that no unit
  /// fills, so that nothing of an abandoned part survives: units overwrite the rest. Two shards may
  /// do this at once. Files of open size appear when they are written.
  PartFiles(const ResultPlan& result, const ResultPaths& paths, const ResultLayout& layout);

  /// REQUIRES: as many bytes as the extent has, of an open one any number.
  void write(const Extent& extent, std::span<const std::byte> bytes);
  /// XXH3 of the bytes as they are read back now; empty for an open file that is not there.
  std::string hash_of(const Extent& extent);
  void sync(std::size_t file) const;
  void sync_all() const;

  std::size_t size() const { return files_.size(); }
  /// REQUIRES: the file is there; one of open size once it was written or hash_of() found it.
  const io::OutputFile& file(std::size_t index) const { return *files_[index]; }
  bool has(std::size_t index) const { return files_[index].has_value(); }

 private:
  std::vector<std::filesystem::path> paths_;
  std::vector<std::optional<io::OutputFile>> files_;  // not there: open, and not made yet
};

}  // namespace lq::stage
