#pragma once
// The growing result: every file of it, at full size from the start.

#include <cstdint>
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
  /// do this at once.
  PartFiles(const ResultPlan& result, const ResultPaths& paths, const ResultLayout& layout);

  void write(const Extent& extent, std::span<const std::byte> bytes);
  /// SHA-256 of the bytes as they are read back now.
  std::string hash_of(const Extent& extent) const;
  void sync(std::size_t file) const { files_[file].sync(); }
  void sync_all() const;

  std::size_t size() const { return files_.size(); }
  const io::OutputFile& file(std::size_t index) const { return files_[index]; }

 private:
  std::vector<io::OutputFile> files_;
};

}  // namespace lq::stage
