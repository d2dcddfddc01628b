#include "common/net/plain_directory.h"

#include <fmt/format.h>
#include <fstream>
#include <set>

#include "common/io/atomic_file.h"
#include "common/io/below.h"
#include "common/io/digest.h"
#include "common/io/file_status.h"
#include "common/net/cache_tag.h"
#include "common/net/file_check.h"
#include "common/net/rate_limit.h"
#include "common/net/retry.h"

namespace lq::net {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kTemporary = 40;  // what a temporary's name is longer
constexpr std::size_t kSha256Digits = 64;
constexpr const char* kPartial = "incomplete";
constexpr const char* kJournal = "journal";

/// What a .metadata file says.
struct Note {
  std::string etag;
  double time = 0;  // Unix seconds
};

std::optional<Note> read_note(const fs::path& path) {
  std::ifstream lines(path);
  std::string commit, etag, time;
  std::getline(lines, commit) && std::getline(lines, etag) && std::getline(lines, time);
  const auto seconds = non_negative(time);
  if (!seconds) return {};
  return Note{etag, *seconds};
}

}  // namespace

PlainDirectory::PlainDirectory(fs::path directory, std::string commit)
    : directory_(std::move(directory)),
      notes_(directory_ / ".cache" / "huggingface"),
      commit_(std::move(commit)) {}

fs::path PlainDirectory::tree_record() const { return notes_ / "trees" / (commit_ + ".json"); }

/// A name of our own may be cut; the reference client's must be as it makes them.
fs::path PlainDirectory::note(const RepoFile& file, const std::string& suffix) const {
  fs::path path = fs::path("download") / (file.path + suffix);
  if (path.filename().string().size() + kTemporary > kLongestName && suffix != ".metadata") {
    const std::string name = fs::path(file.path).filename().string();
    path.replace_filename(io::sha256_hex(std::as_bytes(std::span(name))) + suffix);
  }
  return path;
}

std::vector<fs::path> PlainDirectory::candidates(const RepoFile& file) const {
  const fs::path place = directory_ / file.path;
  const auto status = io::file_status(place);
  if (!status || !status->is_regular || status->size != file.size) return {};
  if (!io::is_inside(fs::weakly_canonical(place), fs::weakly_canonical(directory_))) return {};
  return {place};
}

fs::path PlainDirectory::partial_note(const RepoFile& file, const char* suffix) const {
  const std::string& etag = file.etag().empty() ? commit_ : file.etag();
  return note(file, fmt::format(".{}.lq.{}", etag, suffix));
}

std::uint64_t PlainDirectory::bytes_on_the_way(const RepoFile& file) const {
  const auto status = io::file_status(notes_ / partial_note(file, kPartial));
  return status ? status->allocated_bytes : 0;
}

DownloadTask PlainDirectory::task(const RepoFile& file) {
  DownloadTask task{.file = file,
                    .partial = io::make_parents_below(notes_, partial_note(file, kPartial)),
                    .journal = notes_ / partial_note(file, kJournal),
                    .publish = {}};
  task.publish = [this, file, partial = task.partial] {
    const fs::path target = io::make_parents_below(directory_, file.path);
    fs::rename(partial, target);
    io::sync_directory(target.parent_path());
    write_note(file);
  };
  return task;
}

bool PlainDirectory::adopt(const RepoFile& file, const fs::path&) {
  write_note(file);
  return true;
}

void PlainDirectory::write_note(const RepoFile& file) const {
  const fs::path metadata = note(file, ".metadata");
  if (metadata.filename().string().size() + kTemporary > kLongestName) return;
  io::write_file_atomically(io::make_parents_below(notes_, metadata),
                            fmt::format("{}\n{}\n{:.6f}\n", commit_, file.etag(), unix_now()));
}

/// Ours, and the reference client's, are those that have a note and are not younger than it; or, as
/// a copy of the directory may be younger, still have the content that it names. A folder is nobody's
/// file.
bool PlainDirectory::is_foreign(const RepoFile& file,
                                const std::function<void()>& keep_going) const {
  const fs::path place = directory_ / file.path;
  std::error_code none;
  const fs::file_status kind = fs::symlink_status(place, none);
  if (!fs::exists(kind) || fs::is_directory(kind)) return false;
  const auto status = io::file_status(place);
  const auto known = read_note(notes_ / note(file, ".metadata"));
  if (!status || !status->is_regular || !known) return true;
  constexpr double kSlack = 1;  // as in the reference client
  if (1e-9 * static_cast<double>(status->mtime_ns) <= known->time + kSlack) return false;
  RepoFile as_it_came{file.path, status->size, "", "", ""};
  (known->etag.size() == kSha256Digits ? as_it_came.sha256 : as_it_came.blob_id) = known->etag;
  return known->etag.empty() || !content_is_right(place, as_it_came, keep_going);
}

void PlainDirectory::prepare() {
  io::make_parents_below(directory_, lock().lexically_relative(directory_));
  mark_as_cache(notes_);
  const fs::path ignore = notes_ / ".gitignore";
  if (!io::file_status(ignore)) io::write_file_atomically(ignore, "*");
}

void PlainDirectory::note_files(const std::vector<RepoFile>& all_files) {
  io::write_file_atomically(
      io::make_parents_below(notes_, tree_record().lexically_relative(notes_)),
      net::tree_record(all_files).dump());
  remove_other_partials(all_files);
}

/// Of contents that this commit does not have: dead runs for others left them.
void PlainDirectory::remove_other_partials(const std::vector<RepoFile>& all_files) const {
  std::set<fs::path> known;
  for (const RepoFile& file : all_files) {
    for (const char* const suffix : {kPartial, kJournal}) known.insert(partial_note(file, suffix));
  }
  std::vector<fs::path> others;
  std::error_code none_yet;
  for (const auto& entry : fs::recursive_directory_iterator(notes_ / "download", none_yet)) {
    const std::string name = entry.path().filename();
    const bool is_partial = name.ends_with(std::string(".lq.") + kPartial) ||
                            name.ends_with(std::string(".lq.") + kJournal);
    if (is_partial && !known.contains(entry.path().lexically_relative(notes_))) {
      others.push_back(entry.path());
    }
  }
  for (const fs::path& path : others) fs::remove(path);
}

}  // namespace lq::net
