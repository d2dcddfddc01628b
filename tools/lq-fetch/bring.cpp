#include "tools/lq-fetch/bring.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <set>
#include <string>

#include "common/base/text.h"
#include "common/io/atomic_file.h"
#include "common/net/download.h"
#include "common/net/partial_file.h"

namespace lq::fetch {
namespace {

namespace fs = std::filesystem;

class Bringing {
 public:
  Bringing(const Session& session, net::Destination& destination, const Snapshot& snapshot,
           stage::Plan& work)
      : session_(session), destination_(destination), snapshot_(snapshot), work_(work) {}

  void run(const std::vector<net::RepoFile>& files);
  std::uint64_t received() const { return received_; }

 private:
  std::vector<net::RepoFile> place_texts(const std::vector<net::RepoFile>& files);
  void announce(const std::vector<net::DownloadTask>& tasks);
  net::DownloadSettings settings() const;
  net::DownloadEvents events();
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  }

  const Session& session_;
  net::Destination& destination_;
  const Snapshot& snapshot_;
  stage::Plan& work_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::map<std::string, std::size_t> unit_of_;  // of the work, by path
  std::uint64_t received_ = 0;
  std::size_t files_done_ = 0;
};

void Bringing::run(const std::vector<net::RepoFile>& files) {
  std::vector<net::DownloadTask> tasks;
  std::vector<net::RepoFile> same;  // content of a file that is fetched under another name
  std::set<fs::path> partials;
  for (const net::RepoFile& file : place_texts(files)) {
    net::DownloadTask task = destination_.task(file);
    if (partials.insert(task.partial).second) {
      tasks.push_back(std::move(task));
    } else {
      same.push_back(file);
    }
  }
  announce(tasks);
  try {
    net::download(session_.access, tasks, settings(), events());
  } catch (const net::Stopped&) {
    throw stage::Interrupted(session_.stop_reason(), files_done_, tasks.size());
  }
  for (const net::RepoFile& file : same) {
    destination_.adopt(file, destination_.candidates(file).front());
  }
}

/// Those that were read for the choice are here; returns the others.
std::vector<net::RepoFile> Bringing::place_texts(const std::vector<net::RepoFile>& files) {
  std::vector<net::RepoFile> others;
  for (const net::RepoFile& file : files) {
    const auto text = snapshot_.texts.find(file.path);
    if (text == snapshot_.texts.end()) {
      others.push_back(file);
      continue;
    }
    const net::DownloadTask task = destination_.task(file);
    fs::remove(task.journal);  // of an earlier run, whose partial this one replaces
    io::write_file_atomically(task.partial, text->second);
    task.publish();
  }
  return others;
}

/// What is to come is known now: without what an earlier run left half-way.
void Bringing::announce(const std::vector<net::DownloadTask>& tasks) {
  const bool resume = session_.common->stage.resume;
  std::uint64_t all_kept = 0;
  work_.units.clear();
  work_.read_bytes = 0;
  for (const net::DownloadTask& task : tasks) {
    const net::RepoFile& file = task.file;
    const std::uint64_t kept =
        resume ? net::PartialFile::bytes_kept(file, task.partial, task.journal) : 0;
    const std::uint64_t left = file.size - kept;
    all_kept += kept;
    unit_of_[file.path] = work_.units.size();
    work_.units.push_back({file.path, static_cast<double>(left), {{0, 0, 0, left}}});
    work_.read_bytes += left;
  }
  session_.observer->planned(work_, 0);
  if (all_kept == 0) return;
  session_.observer->message(
      fmt::format("resuming: {} are here already", base::format_bytes(all_kept)));
}

net::DownloadSettings Bringing::settings() const {
  const Options& options = *session_.options;
  return {.id = session_.repo.id,
          .commit = snapshot_.commit,
          .connections = static_cast<int>(options.connections),
          .segment_bytes = options.segment_bytes,
          .resume = session_.common->stage.resume,
          .bytes_per_second = static_cast<double>(options.bytes_per_second)};
}

net::DownloadEvents Bringing::events() {
  net::DownloadEvents events;
  events.received = [this](std::uint64_t bytes) {
    received_ += bytes;
    session_.observer->advanced(bytes);
  };
  events.warning = [this](const std::string& what, const std::string& why) {
    session_.observer->warning(what, why);
  };
  events.file_done = [this](const net::RepoFile& file) {
    ++files_done_;
    session_.observer->unit_done(work_, unit_of_.at(file.path), seconds());
  };
  return events;
}

}  // namespace

std::uint64_t bring(const Session& session, net::Destination& destination, const Snapshot& snapshot,
                    const std::vector<net::RepoFile>& files, stage::Plan& work) {
  Bringing bringing(session, destination, snapshot, work);
  bringing.run(files);
  return bringing.received();
}

}  // namespace lq::fetch
