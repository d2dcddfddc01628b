#include "common/net/hub_cache.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/io/atomic_file.h"
#include "common/io/below.h"
#include "common/io/digest.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/net/cache_tag.h"
#include "common/net/repo_operand.h"

namespace lq::net {

namespace fs = std::filesystem;

namespace {

std::string read_ref(const fs::path& ref) {
  const auto status = io::file_status(ref);
  if (!status || !status->is_regular) return "";
  const std::string text = io::read_text_file(ref);
  return is_commit(text) ? text : "";
}

}  // namespace

HubCache::HubCache(fs::path cache, const std::string& id, std::string commit, bool links)
    : cache_(std::move(cache)),
      repo_(cache_ / cache_folder(id)),
      commit_(std::move(commit)),
      links_(links) {}

fs::path HubCache::directory() const { return repo_ / "snapshots" / commit_; }
fs::path HubCache::manifest() const { return repo_ / "lq" / (commit_ + ".json"); }
fs::path HubCache::lock() const {
  return cache_ / ".locks" / repo_.filename() / ("lq-" + commit_ + ".lock");
}
fs::path HubCache::tree_record() const { return repo_ / "trees" / (commit_ + ".json"); }
fs::path HubCache::blob(const RepoFile& file) const { return repo_ / "blobs" / file.etag(); }

std::vector<fs::path> HubCache::candidates(const RepoFile& file) const {
  std::vector<fs::path> places = {directory() / file.path};
  // With links the snapshot's file is one to the blob, or what a client without links left.
  if (!file.etag().empty()) places.insert(links_ ? places.begin() : places.end(), blob(file));
  std::erase_if(places, [&](const fs::path& place) {
    const auto status = io::file_status(place);
    if (!status || !status->is_regular || status->size != file.size) return true;
    return !io::is_inside(fs::weakly_canonical(place), fs::weakly_canonical(cache_));
  });
  return places;
}

/// A file beside the blob, one for each commit, so that runs for two commits do not write into one;
/// where it is asked for, also for each path.
fs::path HubCache::aside(const RepoFile& file, bool per_path, const char* suffix) const {
  constexpr std::size_t kDigits = 8;
  std::string name = blob(file).string() + "." + commit_.substr(0, kDigits);
  if (per_path) {
    name += "." + io::sha256_hex(std::as_bytes(std::span(file.path))).substr(0, kDigits);
  }
  return name + suffix;
}

/// Without links each path has content of its own.
fs::path HubCache::partial(const RepoFile& file) const {
  return aside(file, !links_, ".lq.incomplete");
}

std::uint64_t HubCache::bytes_on_the_way(const RepoFile& file) const {
  const auto status = io::file_status(partial(file));
  return status ? status->allocated_bytes : 0;
}

DownloadTask HubCache::task(const RepoFile& file) {
  if (file.etag().empty()) {
    throw base::ValidationError(
        fmt::format("cannot keep {} in the shared cache", file.path),
        "the endpoint tells no hash of it, and files are named by theirs there",
        "fetch into a directory with -o DIR");
  }
  DownloadTask task{.file = file,
                    .partial = partial(file),
                    .journal = partial(file).replace_extension("journal"),
                    .publish = {}};
  task.publish = [this, file, partial = task.partial] {
    if (!links_) {
      const fs::path target = io::make_parents_below(directory(), file.path);
      fs::rename(partial, target);
      io::sync_directory(target.parent_path());
      return;
    }
    fs::rename(partial, blob(file));  // over a link into the shared store as well
    io::sync_directory(repo_ / "blobs");
    link(file);
  };
  return task;
}

bool HubCache::adopt(const RepoFile& file, const fs::path& candidate) {
  const bool in_place = candidate == directory() / file.path;
  if (!links_) return in_place;  // a blob stays, as other commits may link to it
  if (!in_place) link(file);
  return true;
}

void HubCache::link(const RepoFile& file) const {
  const fs::path target = io::make_parents_below(directory(), file.path);
  std::string to = "../../";
  for (const char c : file.path) to += c == '/' ? "../" : "";
  to += "blobs/" + file.etag();
  std::error_code none;
  if (fs::read_symlink(target, none) == to) return;
  const fs::path temporary = aside(file, true, ".lq.link");
  fs::remove(temporary);
  fs::create_symlink(to, temporary);
  fs::rename(temporary, target);
}

void HubCache::prepare() {
  mark_as_cache(cache_);
  for (const char* const folder : {"blobs", "refs", "snapshots", "trees", "lq"}) {
    fs::create_directories(repo_ / folder);
  }
  fs::create_directories(directory());
  fs::create_directories(lock().parent_path());
}

void HubCache::note_files(const std::vector<RepoFile>& all_files) {
  io::write_file_atomically(tree_record(), net::tree_record(all_files).dump());
}

void HubCache::remember(const std::string& revision) {
  if (is_commit(revision)) return;
  if (read_ref(repo_ / "refs" / revision) == commit_) return;
  // Whatever lies in refs/ is taken for a ref, so a temporary must not.
  const fs::path temporary = repo_ / "lq" / (commit_ + ".ref");
  io::write_file_atomically(temporary, commit_);
  fs::rename(temporary, io::make_parents_below(repo_ / "refs", revision));
}

std::string HubCache::cached_commit(const fs::path& cache, const std::string& id,
                                    const std::string& revision) {
  return read_ref(cache / cache_folder(id) / "refs" / revision);
}

}  // namespace lq::net
