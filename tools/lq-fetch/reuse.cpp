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
#include "common/net/hub_cache.h"
#include "tools/lq-fetch/check.h"

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
      return content_is_right(place, file, session.keep_going);
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

bool take_from_cache(const net::RepoFile& file, const Session& session, const Snapshot& snapshot,
                     net::Destination& destination) {
  if (session.output.empty()) return false;
  const net::HubCache cache(session.settings.cache, session.repo.id, snapshot.commit,
                            session.settings.symlinks);
  const fs::path place = right_one(cache.candidates(file), file, session);
  if (place.empty()) return false;
  copy_in(place, file, session.options->hard_link ? io::CopyMethod::kLink : io::CopyMethod::kCopy,
          session, destination);
  return true;
}

/// A file of the new commit may have the name of a folder that the older one's files were in.
void remove_empty_folders(const fs::path& directory, fs::path below) {
  std::error_code not_empty;
  for (; !below.empty() && fs::remove(directory / below, not_empty); below = below.parent_path()) {
  }
}

}  // namespace

void require_complete(const Session& session, const net::Destination& destination,
                      const Snapshot& snapshot, const Record& record) {
  for (const net::RepoFile& file : snapshot.chosen) {
    const fs::path place = destination.directory() / file.path;
    const auto status = io::file_status(place);
    const bool whole = status && status->is_regular && status->size == file.size;
    if (whole &&
        (record.holds(destination, file) || content_is_right(place, file, session.keep_going))) {
      continue;
    }
    throw base::ModelNotFoundError(
        fmt::format("cannot find {} offline", session.shown_repo()),
        fmt::format("{} is not in {}", base::escape_controls(file.path),
                    base::shown(destination.directory())),
        "fetch the rest with a network: unset HF_HUB_OFFLINE and run the same command again");
  }
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
    if (chosen.contains(path) || !older.holds(destination, recorded.file)) continue;
    session.observer->message(
        fmt::format("removing {}, which is of another commit", base::escape_controls(path)));
    fs::remove(destination.directory() / path);
    remove_empty_folders(destination.directory(), fs::path(path).parent_path());
  }
  fs::remove(destination.manifest());
}

std::vector<net::RepoFile> take_what_is_here(const Session& session, net::Destination& destination,
                                             const Snapshot& snapshot, const Record& record) {
  std::vector<net::RepoFile> missing;
  for (const net::RepoFile& file : snapshot.chosen) {
    if (!session.common->stage.force && record.holds(destination, file)) continue;
    const std::vector<fs::path> places = destination.candidates(file);
    const fs::path place = right_one(places, file, session);
    if (!place.empty()) {
      if (!destination.adopt(file, place)) {
        copy_in(place, file, io::CopyMethod::kCopy, session, destination);
      }
    } else if (!take_from_cache(file, session, snapshot, destination)) {
      const fs::path at_its_place = destination.directory() / file.path;
      if (io::file_status(at_its_place)) {
        session.observer->warning(
            fmt::format("{} is fetched again", base::escape_controls(file.path)),
            fmt::format("{} is not known to be what the Hub lists", base::shown(at_its_place)));
      }
      missing.push_back(file);
    }
  }
  return missing;
}

}  // namespace lq::fetch
