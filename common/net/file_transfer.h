#pragma once
// One file of a download under way: who fetches which bytes of it from where, and its hash.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "common/net/content_hash.h"
#include "common/net/download.h"
#include "common/net/partial_file.h"
#include "common/net/url.h"

namespace lq::net {

/// Thread rule: members of the first group from any thread, those of the second from one, which
/// finishes the files.
class FileTransfer {
 public:
  /// The task is referred to.
  explicit FileTransfer(const DownloadTask& task) : task_(&task) {}

  const RepoFile& file() const { return task_->file; }

  bool is_open() const;
  bool is_published() const;
  /// Opens the partial; with `resume` what an earlier run left counts. Throws OutputError.
  void open(std::uint64_t segment_bytes, bool resume);
  /// The next bytes that nobody has fetched or is at; whoever takes them calls end_piece().
  std::optional<Extent> take_piece();
  void end_piece();

  /// The signed address that the last answer came from; nothing when the Hub has to be asked.
  std::optional<Url> direct() const;
  void set_direct(std::optional<Url> direct);

  /// The server takes no ranges, so one connection fetches everything: whether that is this thread.
  bool take_whole();
  /// Whether this thread's bytes are still wanted.
  bool is_wanted() const;

  /// Puts bytes at their place. What lies before the end of the gapless beginning may be hashed
  /// already: it is never written twice. Returns how many were new.
  std::uint64_t write(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Hashes what has come since the last time, at most one buffer of it. False when there was
  /// nothing to do.
  bool hash_some(std::span<std::byte> buffer);
  /// Whether all is here and hashed, and nobody is at it who could write.
  bool is_complete() const;
  /// REQUIRES: is_complete()
  bool is_right() const { return hash_->is_right(); }
  /// Syncs, puts the file where it belongs, forgets the journal.
  void publish();
  /// Forgets everything that came; take_piece() begins anew after open(). Returns how often that
  /// was.
  int discard();
  /// After a failure or a stop: notes what is here.
  void save();

 private:
  bool has_journal() const { return file().size > kSmallFile; }

  const DownloadTask* task_;
  mutable std::mutex mutex_;
  std::unique_ptr<PartialFile> partial_;  // while it is open
  ByteRanges taken_;                      // fetched, or somebody is at them
  std::uint64_t segment_bytes_ = 0;
  int at_work_ = 0;  // pieces taken and not ended
  std::optional<Url> direct_;
  std::thread::id whole_by_;
  std::unique_ptr<ContentHash> hash_;
  std::uint64_t hashed_ = 0;
  int times_discarded_ = 0;
  bool published_ = false;
};

}  // namespace lq::net
