#pragma once
// One file of a download under way: which bytes of it are fetched or spoken for, and its hash.

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "common/net/content_hash.h"
#include "common/net/download.h"
#include "common/net/partial_file.h"
#include "common/net/url.h"

namespace lq::net {

class Piece;

/// Thread rule: members of the first group from any thread, those of the second from one, which
/// finishes the files.
class FileTransfer {
 public:
  /// Opens the partial; with `resume` what an earlier run left counts. The task is referred to.
  /// Throws OutputError.
  FileTransfer(const DownloadTask& task, std::uint64_t segment_bytes, bool resume);

  const RepoFile& file() const { return task_.file; }
  /// The signed address that the last answer came from; nothing when the Hub has to be asked.
  std::optional<Url> direct() const;
  void set_direct(std::optional<Url> direct);

  /// Hashes what has come since the last time, at most one buffer of it. False when there was
  /// nothing to do.
  bool hash_some(std::span<std::byte> buffer);
  /// Whether all is here and hashed, and nobody is left who could write.
  bool is_complete() const;
  /// REQUIRES: is_complete()
  bool is_right() const { return hash_->is_right(); }
  /// Syncs, puts the file where it belongs, forgets the journal. REQUIRES: is_complete()
  void publish();
  /// Forgets everything that came and begins anew. REQUIRES: is_complete()
  void restart();
  /// How often that was.
  int times_restarted() const { return times_restarted_; }
  /// Instead of restart(): leaves nothing behind.
  void abandon();
  /// After a failure or a stop: notes what is here.
  void save();

 private:
  friend class Piece;
  bool has_journal() const { return file().size > kSmallFile; }
  void begin();

  const DownloadTask& task_;
  const std::uint64_t segment_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable written_;
  std::unique_ptr<PartialFile> partial_;
  ByteRanges taken_;  // fetched, or somebody is at them
  int n_pieces_ = 0;  // that are wanted, and somebody is at
  int n_writes_ = 0;  // under way
  std::uint64_t next_piece_ = 1;
  std::uint64_t oldest_wanted_ = 1;  // those before are of what came before a restart
  std::uint64_t whole_by_ = 0;       // the piece that became the whole file; 0: none
  std::optional<Url> direct_;
  std::unique_ptr<ContentHash> hash_;
  std::uint64_t hashed_ = 0;
  int times_restarted_ = 0;
};

/// Bytes of a file that one connection fetches; given back when it goes.
class Piece {
 public:
  /// The next bytes that nobody has fetched or is at.
  static std::optional<Piece> take(const std::shared_ptr<FileTransfer>& transfer);
  ~Piece();
  Piece(Piece&&) noexcept = default;
  Piece& operator=(Piece&&) = delete;

  FileTransfer& transfer() const { return *transfer_; }
  /// What is still to come.
  const Extent& left() const { return left_; }

  /// Whether its bytes are still wanted.
  bool is_wanted() const;
  /// The server takes no ranges: makes this piece the whole file, unless another one is. After it
  /// no other piece writes.
  bool take_whole();
  /// Puts the next bytes at their place. What lies before the end of the gapless beginning may be
  /// hashed already: it is never written twice. Returns how many were new, or nothing when they are
  /// not wanted.
  std::optional<std::uint64_t> write(std::span<const std::byte> bytes);

 private:
  Piece(std::shared_ptr<FileTransfer> transfer, Extent extent, std::uint64_t number)
      : transfer_(std::move(transfer)), left_(extent), number_(number) {}
  bool is_wanted_locked() const;

  std::shared_ptr<FileTransfer> transfer_;  // nullptr: moved from
  Extent left_;
  std::uint64_t number_ = 0;
};

}  // namespace lq::net
