#pragma once
// The manifest of a fetch: which files are here, whole and right, and how to see that they still
// are.

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/net/destination.h"
#include "common/net/repo_files.h"
#include "common/stage/manifest.h"
#include "tools/lq-fetch/session.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {

/// A file as it was when it was found right.
struct RecordedFile {
  net::RepoFile file;
  std::int64_t mtime_ns = 0;
  std::uint64_t inode = 0;
  std::string sha256;
};

class Record {
 public:
  /// Nothing recorded where the manifest is missing, broken, or of another commit.
  static Record read(const net::Destination& destination, const std::string& commit);
  /// The same, of whatever commit.
  static Record read_any(const net::Destination& destination);

  /// Whether the file lies there as it did when it was found right.
  bool holds(const net::Destination& destination, const net::RepoFile& file) const;
  /// Of the run that made it: "2026-01-31T23:59:59Z"; empty where there is none.
  const std::string& made_at() const { return made_at_; }
  const std::string& made_by() const { return made_by_; }
  /// By path.
  const std::map<std::string, RecordedFile>& files() const { return files_; }

 private:
  std::map<std::string, RecordedFile> files_;
  std::string commit_, made_at_, made_by_;
};

/// Writes the manifest: the chosen files, and those of before that are still as they were. `sha256`:
/// by path, of files that the Hub knows by another hash.
void write_record(const Session& session, const net::Destination& destination,
                  const Snapshot& snapshot, const Record& before, const stage::Plan& plan,
                  const stage::RunNumbers& numbers,
                  const std::map<std::string, std::string>& sha256);

}  // namespace lq::fetch
