#pragma once
// One pass over the bytes of a model: every file is read once, and each byte goes to the file's hash
// and to the check of the tensor that it belongs to. Files are read in windows of a few MiB; while
// the windows in memory are hashed and looked at, the next ones are read. A hash takes the bytes of
// a file in order, so it keeps one thread busy per file; the checks share the others.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/base/errors.h"

namespace lq::soundness {

/// Bytes that are looked at as whole units.
class Check {
 public:
  virtual ~Check() = default;
  /// `bytes` are whole units from byte `first` of the segment on. Thread rule: called from several
  /// threads at once, in no fixed order; what is kept must not depend on it.
  virtual void look(std::uint64_t first, std::span<const std::byte> bytes) = 0;
};

struct Segment {
  std::uint64_t offset = 0, n_bytes = 0;  // in the file
  std::uint64_t unit = 1;                 // n_bytes is a multiple of it
  Check* check = nullptr;
};

struct FileJob {
  std::filesystem::path path;
  bool hash = false;
  std::vector<Segment> segments;  // by offset; those that share bytes have units that divide

  // Results.
  std::string sha256;
  std::uint64_t size = 0;
  std::vector<base::ValidationError> errors;  // that ended the reading of this file
};

/// Files with neither are not opened. Units above kLargestUnit are not looked at. `keep_going` is
/// called every few MiB and may throw.
void run_pass(std::span<FileJob> jobs, int n_threads, const std::function<void()>& keep_going);

inline constexpr std::uint64_t kLargestUnit = std::uint64_t{16} << 20;

}  // namespace lq::soundness
