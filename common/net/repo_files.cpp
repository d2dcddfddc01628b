#include "common/net/repo_files.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <string_view>

#include "common/base/checked.h"
#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/safe_path.h"

namespace lq::net {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;  // also of a Xet hash
constexpr int kTreeVersion = 1;

[[noreturn]] void no_listing(std::string why) {
  throw base::NetworkError("cannot read the Hub's list of files", std::move(why),
                           "try again later; if HF_ENDPOINT names a mirror, try without it");
}

/// nullptr when there is no such key, or null under it.
const json* member(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::uint64_t> whole_size(const json& number) {
  // Fractions, exponents and numbers beyond 64 bits are kept as doubles.
  if (!number.is_number_integer()) return std::nullopt;
  const auto size = number.get<std::uint64_t>();  // of a negative one above 2^63
  return size > kMaxBytes ? std::nullopt : std::optional(size);
}

class TreeEntry {
 public:
  TreeEntry(const json& entry, std::size_t number) : entry_(entry), number_(number) {
    if (!entry.is_object()) no_listing(fmt::format("entry {} is no object", number));
  }

  bool is_file() const { return text(entry_, "type") == "file"; }

  RepoFile file() {
    file_.path = text(entry_, "path");
    file_.size = size(entry_, true);
    file_.blob_id = hash(entry_, "oid", kSha1Digits);
    file_.xet_hash = hash(entry_, "xetHash", kSha256Digits);
    if (const json* lfs = member(entry_, "lfs")) read_lfs(*lfs);
    return std::move(file_);
  }

 private:
  std::string name() const {
    return file_.path.empty() ? fmt::format("entry {}", number_)
                              : fmt::format("`{}`", base::escape_controls(file_.path));
  }

  std::string text(const json& object, const char* key) const {
    const json* value = member(object, key);
    if (value == nullptr || !value->is_string()) {
      no_listing(fmt::format("{} has no `{}`", name(), key));
    }
    return value->get<std::string>();
  }

  std::uint64_t size(const json& object, bool required) const {
    const json* value = member(object, "size");
    if (value == nullptr && !required) return file_.size;
    const auto size = value == nullptr ? std::nullopt : whole_size(*value);
    if (!size) {
      no_listing(fmt::format("the size of {} is no whole number from 0 to 2^63 - 1", name()));
    }
    return *size;
  }

  std::string hash(const json& object, const char* key, std::size_t n_digits) const {
    if (member(object, key) == nullptr) return "";
    std::string hex = text(object, key);
    if (!base::is_lower_hex(hex, n_digits)) {
      throw base::ValidationError(
          fmt::format("the hash of {} cannot be used", name()),
          fmt::format("`{}` of it is not {} lower-case hex digits", key, n_digits),
          "the endpoint is broken or hostile: check HF_ENDPOINT");
    }
    return hex;
  }

  void read_lfs(const json& lfs) {
    if (!lfs.is_object()) no_listing(fmt::format("`lfs` of {} is no object", name()));
    // Without it the hash of the pointer would pass for the hash of the content.
    file_.sha256 = hash(lfs, "oid", kSha256Digits);
    if (file_.sha256.empty()) no_listing(fmt::format("`lfs` of {} has no `oid`", name()));
    if (size(lfs, false) != file_.size) no_listing(fmt::format("{} has two sizes", name()));
  }

  const json& entry_;
  std::size_t number_;
  RepoFile file_;
};

/// With `/` before every other character a directory stands directly before what lies below it.
bool directories_first(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '/' ? 0 : 1 + static_cast<unsigned char>(c); };
  return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

[[noreturn]] void refuse_path(const std::string& repo, std::string_view path, std::string why) {
  throw base::ValidationError(fmt::format("{} has a file that cannot be stored: \"{}\"",
                                          base::escape_controls(repo), base::escape_controls(path)),
                              std::move(why),
                              "tell the owner of the repository; nothing of it was fetched");
}

/// A text under `key`, "" where there is none; nothing when it is no hash.
std::optional<std::string> recorded_hash(const json& entry, const char* key, std::size_t n_digits) {
  const json* value = member(entry, key);
  if (value == nullptr) return "";
  if (!value->is_string()) return std::nullopt;
  auto hex = value->get<std::string>();
  return base::is_lower_hex(hex, n_digits) ? std::optional(std::move(hex)) : std::nullopt;
}

std::optional<RepoFile> recorded_file(const std::string& path, const json& entry) {
  if (!entry.is_object() || member(entry, "size") == nullptr) return std::nullopt;
  const auto size = whole_size(*member(entry, "size"));
  auto blob_id = recorded_hash(entry, "blob_id", kSha1Digits);
  auto sha256 = recorded_hash(entry, "lfs_sha256", kSha256Digits);
  auto xet_hash = recorded_hash(entry, "xet_hash", kSha256Digits);
  if (!size || !blob_id || !sha256 || !xet_hash) return std::nullopt;
  const json* lfs_size = member(entry, "lfs_size");
  if (lfs_size != nullptr && whole_size(*lfs_size) != size) return std::nullopt;
  return RepoFile{path, *size, std::move(*blob_id), std::move(*sha256), std::move(*xet_hash)};
}

nlohmann::ordered_json record_of(const RepoFile& file) {
  nlohmann::ordered_json entry = {{"size", file.size}};
  // Where it is unknown, the reference client had better find the record broken than use "".
  if (!file.blob_id.empty()) entry["blob_id"] = file.blob_id;
  if (file.in_lfs()) {
    entry["lfs_sha256"] = file.sha256;
    entry["lfs_size"] = file.size;
  }
  if (!file.xet_hash.empty()) entry["xet_hash"] = file.xet_hash;
  return entry;
}

}  // namespace

std::vector<RepoFile> files_of_tree_page(const json& page) {
  if (!page.is_array()) no_listing("its answer is no list");
  std::vector<RepoFile> files;
  std::size_t number = 0;
  for (const json& value : page) {
    TreeEntry entry(value, ++number);
    if (entry.is_file()) files.push_back(entry.file());
  }
  return files;
}

void require_safe_paths(const std::vector<RepoFile>& files, const std::string& repo) {
  std::vector<std::string_view> paths;
  for (const RepoFile& file : files) {
    if (const auto problem = io::path_problem(file.path)) {
      refuse_path(repo, file.path, "the path " + *problem);
    }
    paths.push_back(file.path);
  }
  std::ranges::sort(paths, directories_first);
  for (std::size_t i = 1; i < paths.size(); ++i) {
    if (paths[i] == paths[i - 1]) refuse_path(repo, paths[i], "the path is listed twice");
    if (is_below(paths[i], paths[i - 1])) {
      refuse_path(repo, paths[i - 1],
                  fmt::format("the path is also the directory of \"{}\"", paths[i]));
    }
  }
}

std::string folder_prefix(std::string_view folder) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  return folder.empty() ? "" : fmt::format("{}/", folder);
}

std::optional<std::pair<std::string, std::string>> case_collision(
    const std::vector<RepoFile>& files) {
  std::map<std::string, std::string> seen;
  for (const RepoFile& file : files) {
    const auto [first, is_new] = seen.emplace(base::to_lower(file.path), file.path);
    if (!is_new) return std::pair(first->second, file.path);
  }
  return {};
}

std::uint64_t total_size(const std::vector<RepoFile>& files) {
  base::Checked sum(0);
  for (const RepoFile& file : files) sum += file.size;
  if (sum.above(kMaxBytes)) {
    throw base::ValidationError("the sizes of the files cannot be right",
                                "their sum is beyond 2^63 - 1 bytes",
                                "the endpoint is broken or hostile: check HF_ENDPOINT");
  }
  return *sum.value();
}

nlohmann::ordered_json tree_record(const std::vector<RepoFile>& files) {
  std::vector<const RepoFile*> sorted;
  for (const RepoFile& file : files) sorted.push_back(&file);
  std::ranges::sort(sorted, {}, [](const RepoFile* file) { return file->path; });
  // Added one by one through the interface of JSON, each would be looked for among all before it.
  nlohmann::ordered_json::object_t entries;
  for (const RepoFile* file : sorted) entries.emplace_back(file->path, record_of(*file));
  nlohmann::ordered_json record = {{"format_version", kTreeVersion}};
  record["files"] = std::move(entries);
  return record;
}

std::vector<RepoFile> files_of_tree_record(const json& record) {
  if (!record.is_object()) return {};
  const json* version = member(record, "format_version");
  if (version == nullptr || !version->is_number_integer() || *version != kTreeVersion) return {};
  const json* entries = member(record, "files");
  if (entries == nullptr || !entries->is_object()) return {};
  std::vector<RepoFile> files;
  for (const auto& [path, entry] : entries->items()) {
    auto file = recorded_file(path, entry);
    if (!file) return {};
    files.push_back(std::move(*file));
  }
  try {
    require_safe_paths(files, "");
  } catch (const base::ValidationError&) {
    return {};
  }
  return files;
}

}  // namespace lq::net
