#pragma once
// A file on its way: its bytes in place, and a journal of which are there.
//
// The partial has its full size from the start and is written at any position. The journal beside
// it is a JSON object {"format":1,"size":N,"etag":"...","done":[[0,4096],...]} written by
// temporary and rename, after what it names was synced; so after a kill or a power cut what it
// names is there. Bytes of content-addressed files are the same whoever writes them: two writers do
// no harm.

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "common/io/output_file.h"
#include "common/net/byte_ranges.h"
#include "common/net/repo_files.h"

namespace lq::net {

/// Thread rule: any thread.
class PartialFile {
 public:
  /// Opens or makes both. A journal of another file, or one that cannot be read, is as none.
  /// Throws OutputError. REQUIRES: the folders are there; `file` outlives this.
  PartialFile(const RepoFile& file, std::filesystem::path partial, std::filesystem::path journal);

  /// What is there already; without opening anything for writing.
  static std::uint64_t bytes_kept(const RepoFile& file, const std::filesystem::path& partial,
                                  const std::filesystem::path& journal);

  void write(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Reads bytes that are there.
  void read(std::uint64_t offset, std::span<std::byte> out) const { data_.read_at(offset, out); }

  ByteRanges done() const;
  std::uint64_t prefix() const;

  /// Syncs and writes the journal.
  void save();
  /// The same, when the last time is a second ago and nobody else is at it.
  void save_if_due();
  /// Forgets everything that was there.
  void discard();
  void sync() const { data_.sync(); }
  /// Removes the journal; the partial stays, complete.
  void finish();

 private:
  void save_now();  // REQUIRES: saving_ is held

  const RepoFile& file_;
  const std::filesystem::path journal_;
  io::OutputFile data_;
  mutable std::mutex mutex_;
  ByteRanges done_;
  std::mutex saving_;
  std::chrono::steady_clock::time_point saved_;
  std::uint64_t saved_bytes_ = 0;
};

}  // namespace lq::net
