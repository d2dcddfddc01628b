#include "tools/lq-fetch/reuse.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/copy_file.h"
#include "common/io/file_status.h"
#include "common/net/file_check.h"
#include "common/net/hub_cache.h"
#include "common/net/partial_file.h"
#include "common/net/repo_operand.h"
#include "common/stage/output_lock.h"

namespace lq::fetch {
namespace {

namespace fs = std::filesystem;

/// The first of the places whose content is that of the file; empty where there is none, or where
/// no hash can tell.
fs::path right_one(const std::vector<fs::path>& places, const net::RepoFile& file,
                   const Session& session) {
  if (file.etag().empty()) return {};
  const auto found = std::ranges::find_if(places, [&](const fs::path& place) {
    try {
      return net::content_is_right(place, file, session.keep_going);
    } catch (const base::ModelNotFoundError&) {  // not readable: what is here only saves a download
      return false;
    }
  });
  return found == places.end() ? fs::path() : *found;
}

/// Brings the content as a download would.
void copy_in(const fs::path& from, const net::RepoFile& file, io::CopyMethod method,
             const Session& session, net::Destination& destination) {
  const net::DownloadTask task = destination.task(file);
  fs::remove(task.journal);  // of an earlier run, whose partial this one replaces
  io::copy_file(fs::canonical(from), task.partial, method, session.keep_going);
  task.publish();
}

void remove_partial(const net::DownloadTask& task) {
  fs::remove(task.partial);
  fs::remove(task.journal);
}

/// What dead runs for one other commit left in the shared cache.
class LeftPartials {
 public:
  LeftPartials(const Session& session, const std::string& commit, net::Destination& here)
      : session_(session),
        older_(session.settings.cache, session.repo.id, commit, session.settings.symlinks),
        here_(here) {}

  /// Throws nothing where a run is at that commit: they are its own.
  void settle(const std::vector<net::RepoFile>& chosen, const std::set<std::string>& wanted) {
    if (std::ranges::none_of(chosen, [this](const auto& file) { return has(file); })) return;
    try {
      const stage::OutputLock alone(
          {.output = older_.directory(), .path = older_.lock(), .argv = session_.common->argv});
      for (const net::RepoFile& file : chosen) {
        if (has(file)) settle(file, wanted.contains(file.etag()));
      }
    } catch (const base::BusyError&) {
    }
  }

 private:
  bool has(const net::RepoFile& file) {
    if (file.etag().empty()) return false;
    const net::DownloadTask task = older_.task(file);
    return io::file_status(task.partial) || io::file_status(task.journal);
  }

  static std::uint64_t kept(const net::DownloadTask& task) {
    return net::PartialFile::bytes_kept(task.file, task.partial, task.journal);
  }

  void settle(const net::RepoFile& file, bool is_wanted) {
    const net::DownloadTask from = older_.task(file), to = here_.task(file);
    if (is_wanted && kept(from) > kept(to)) {
      fs::rename(from.journal, to.journal);
      fs::rename(from.partial, to.partial);
    }
    remove_partial(from);
  }

  const Session& session_;
  net::HubCache older_;
  net::Destination& here_;
};

/// Not edited since, also where the whole directory was copied.
bool is_as_it_came(const Session& session, const net::Destination& destination, const Record& older,
                   const RecordedFile& recorded) {
  if (older.holds(destination, recorded.file)) return true;
  const auto status = io::file_status(destination.directory() / recorded.file.path);
  return status && status->is_regular && !destination.is_foreign(recorded.file, session.keep_going);
}

/// A file of the new commit may have the name of a folder that the older one's files were in.
void remove_empty_folders(const fs::path& directory, fs::path below) {
  std::error_code not_empty;
  for (; !below.empty() && fs::remove(directory / below, not_empty); below = below.parent_path()) {
  }
}

}  // namespace

const net::RepoFile* first_missing(const Session& session, const net::Destination& destination,
                                   const Snapshot& snapshot, const Record& record) {
  const auto missing = std::ranges::find_if_not(snapshot.chosen, [&](const net::RepoFile& file) {
    const fs::path place = destination.directory() / file.path;
    const auto status = io::file_status(place);
    return status && status->is_regular && status->size == file.size &&
           (record.holds(destination, file) ||
            net::content_is_right(place, file, session.keep_going));
  });
  return missing == snapshot.chosen.end() ? nullptr : &*missing;
}

void require_complete(const Session& session, const net::Destination& destination,
                      const Snapshot& snapshot, const Record& record) {
  const net::RepoFile* const missing = first_missing(session, destination, snapshot, record);
  if (missing == nullptr) return;
  throw base::ModelNotFoundError(
      fmt::format("cannot find {} offline", session.shown_repo()),
      fmt::format("{} is not in {}", base::escape_controls(missing->path),
                  base::shown(destination.directory())),
      "fetch the rest with a network: unset HF_HUB_OFFLINE and run the same command again");
}

/// The manifest would vouch for a mixture if this run ends half-way, and files that only that commit
/// has (an index, its shards) would be taken for parts of this one.
void leave_older_commit(const Session& session, const net::Destination& destination,
                        const Snapshot& snapshot) {
  std::set<std::string> chosen;
  for (const net::RepoFile& file : snapshot.chosen) chosen.insert(file.path);
  std::map<std::string, std::string> etags;
  for (const net::RepoFile& file : snapshot.all) etags[file.path] = file.etag();
  const Record older = Record::read_any(destination);
  for (const auto& [path, recorded] : older.files()) {
    const auto same = etags.find(path);
    if (same != etags.end() && !same->second.empty() && same->second == recorded.file.etag()) {
      continue;
    }
    if (chosen.contains(path) || !is_as_it_came(session, destination, older, recorded)) continue;
    session.observer->message(
        fmt::format("removing {}, which is of another commit", base::escape_controls(path)));
    fs::remove(destination.directory() / path);
    remove_empty_folders(destination.directory(), fs::path(path).parent_path());
  }
  fs::remove(destination.manifest());
}

std::vector<net::RepoFile> keep_what_is_right(const Session& session, net::Destination& destination,
                                              const Snapshot& snapshot, const Record& record) {
  std::vector<net::RepoFile> others;
  for (const net::RepoFile& file : snapshot.chosen) {
    if (!session.common->stage.force && record.holds(destination, file)) continue;
    const fs::path place = right_one(destination.candidates(file), file, session);
    if (place.empty()) {
      others.push_back(file);
    } else if (destination.adopt(file, place)) {
      remove_partial(destination.task(file));  // of a run that was killed before somebody else came
    } else {
      copy_in(place, file, io::CopyMethod::kCopy, session, destination);
    }
  }
  return others;
}

void settle_partials(const Session& session, net::Destination& destination,
                     const Snapshot& snapshot, const std::vector<net::RepoFile>& missing) {
  if (!session.output.empty()) return;
  std::set<std::string> wanted;
  for (const net::RepoFile& file : missing) wanted.insert(file.etag());
  for (const auto& entry : fs::directory_iterator(destination.directory().parent_path())) {
    const std::string commit = entry.path().filename();
    if (entry.path() == destination.directory() || !net::is_commit(commit)) continue;
    LeftPartials(session, commit, destination).settle(snapshot.chosen, wanted);
  }
}

std::vector<net::RepoFile> take_from_cache(const Session& session, net::Destination& destination,
                                           const Snapshot& snapshot,
                                           const std::vector<net::RepoFile>& files) {
  if (session.output.empty()) return files;
  const net::HubCache cache(session.settings.cache, session.repo.id, snapshot.commit,
                            session.settings.symlinks);
  const auto method = session.options->hard_link ? io::CopyMethod::kLink : io::CopyMethod::kCopy;
  std::vector<net::RepoFile> others;
  for (const net::RepoFile& file : files) {
    const fs::path place = right_one(cache.candidates(file), file, session);
    if (place.empty()) {
      others.push_back(file);
    } else {
      copy_in(place, file, method, session, destination);
    }
  }
  return others;
}

}  // namespace lq::fetch
