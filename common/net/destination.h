#pragma once
// Where the files of a commit go: the shared cache (hub_cache.h) or a directory of the user's
// (plain_directory.h). Both are laid out as the reference client does it, so that each sees what
// the other brought.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/net/download.h"
#include "common/net/repo_files.h"

namespace lq::net {

/// Members that write throw OutputError or std::filesystem::filesystem_error.
class Destination {
 public:
  virtual ~Destination() = default;

  /// The directory with the files under their paths.
  virtual std::filesystem::path directory() const = 0;
  virtual std::filesystem::path manifest() const = 0;
  virtual std::filesystem::path lock() const = 0;
  /// The list of the commit's files, as the reference client keeps it.
  virtual std::filesystem::path tree_record() const = 0;

  /// Where content of the file's size lies, the likeliest place first: what has the right hash is
  /// the file's.
  virtual std::vector<std::filesystem::path> candidates(const RepoFile& file) const = 0;
  /// Disk that an unfinished file takes already.
  virtual std::uint64_t bytes_on_the_way(const RepoFile& file) const = 0;
  /// How the file gets here, the folders for it made. The task's publish() also
  /// does what adopt() does.
  virtual DownloadTask task(const RepoFile& file) = 0;
  /// Makes the content at one of the candidates, which is right, a part of this commit's files.
  /// False where that takes a copy: it is to be the task's partial then, and published.
  virtual bool adopt(const RepoFile& file, const std::filesystem::path& candidate) = 0;

  /// Folders and marks that the layout wants before the first file.
  virtual void prepare() = 0;
  /// The list of all files of the commit, before the first one comes: with it nobody takes a part of
  /// them for the whole. REQUIRES: the lock is held.
  virtual void note_files(const std::vector<RepoFile>& all_files) = 0;
  /// Whether a file of the user's own is at the place of this one, or one that was edited after it
  /// came. May have to hash it: `keep_going` is called on the way and may throw.
  virtual bool is_foreign(const RepoFile& file, const std::function<void()>& keep_going) const = 0;
  /// Notes that the revision stands for this commit, for whoever asks without a network.
  virtual void remember(const std::string& revision) = 0;
};

}  // namespace lq::net
