#pragma once
// The files of a repository at one commit, as the Hub lists them.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lq::net {

struct RepoFile {
  std::string path;  // from the repository's root, `/` between segments
  std::uint64_t size = 0;
  std::string blob_id;   // git's SHA-1 of the blob (of an LFS file: of its pointer)
  std::string sha256;    // of the content; empty where the file is not in LFS
  std::string xet_hash;  // empty or 64 hex digits

  bool in_lfs() const { return !sha256.empty(); }
  /// What the content hashes to: the name of its blob in the shared cache. Empty when the endpoint
  /// tells no hash.
  const std::string& etag() const { return in_lfs() ? sha256 : blob_id; }

  bool operator==(const RepoFile&) const = default;
};

/// The files of one page of the tree API's answer, directories left out. Unknown keys are ignored.
/// Throws NetworkError on anything that is no such answer (not an array, an entry without path, a
/// size that is no whole number of 0 to 2^63 - 1), ValidationError on a hash that is not lower-case
/// hex of its length.
std::vector<RepoFile> files_of_tree_page(const nlohmann::json& page);

/// Throws ValidationError, naming the first one in quoted form, when a path could leave the place
/// it is written to (io::path_problem) or is also the directory of another path. `repo` is for the
/// message.
void require_safe_paths(const std::vector<RepoFile>& files, const std::string& repo);

/// How paths below a folder of the repository begin: "" or the folder with one slash behind it.
std::string folder_prefix(std::string_view folder);

/// Two paths that differ in case alone, which some file systems take for one.
std::optional<std::pair<std::string, std::string>> case_collision(
    const std::vector<RepoFile>& files);

/// Sum of sizes. Throws ValidationError when it is beyond 2^63 - 1.
std::uint64_t total_size(const std::vector<RepoFile>& files);

/// `trees/<commit>.json` of the reference client's cache, format version 1:
/// {"format_version":1,"files":{path:{size,blob_id,lfs_sha256?,lfs_size?,xet_hash?}}}.
nlohmann::ordered_json tree_record(const std::vector<RepoFile>& files);
/// Empty when it is of another version or broken: a cached tree is only ever a saving.
std::vector<RepoFile> files_of_tree_record(const nlohmann::json& record);

}  // namespace lq::net
