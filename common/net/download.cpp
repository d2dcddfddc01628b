#include "common/net/download.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/net/file_transfer.h"
#include "common/net/pace.h"
#include "common/net/range_sink.h"

namespace lq::net {
namespace {

constexpr std::size_t kHashedAtOnce = std::size_t{1} << 20;
// A server that breaks off after less each time is not worth going on with.
constexpr std::uint64_t kLeastProgress = 1024;

/// Connections that fetch pieces, and one thread that hashes and finishes files.
class Engine {
 public:
  Engine(const HubAccess& access, const std::vector<DownloadTask>& tasks,
         const DownloadSettings& settings, const DownloadEvents& events);
  void run();

 private:
  using Transfers = std::vector<std::shared_ptr<FileTransfer>>;

  void connection();
  void finisher();
  void guarded(void (Engine::*body)());
  std::optional<Piece> next_piece();
  void fetch(HubClient& client, Piece& piece);
  std::optional<Failure> fetch_once(HubClient& client, Piece& piece,
                                    const std::function<void(std::uint64_t)>& received);
  void finish(const std::shared_ptr<FileTransfer>& transfer);
  void fetch_again(FileTransfer& transfer);
  bool stopping() const { return failed_ || (access_.http.stop && access_.http.stop()); }
  bool all_published() const { return next_task_ == tasks_.size() && open_.empty(); }
  /// Files under way: each holds a descriptor, and a kill loses those that wait for the finisher.
  std::size_t most_open() const { return static_cast<std::size_t>(settings_.connections) + 4; }
  std::string what(const FileTransfer& transfer) const;
  template <class Event, class... Values>
  void tell(const Event& event, const Values&... values) {
    const std::lock_guard lock(events_mutex_);
    if (event) event(values...);
  }

  const HubAccess& access_;
  const std::vector<DownloadTask>& tasks_;
  const DownloadSettings& settings_;
  const DownloadEvents& events_;
  Patience patience_;
  BytePace pace_;
  std::mutex mutex_, events_mutex_;
  std::condition_variable changed_;
  Transfers open_;             // under way, in order of the tasks
  std::size_t next_task_ = 0;  // the first that was not begun
  std::atomic<bool> failed_ = false;
  std::exception_ptr failure_;
};

Engine::Engine(const HubAccess& access, const std::vector<DownloadTask>& tasks,
               const DownloadSettings& settings, const DownloadEvents& events)
    : access_(access),
      tasks_(tasks),
      settings_(settings),
      events_(events),
      patience_(access.patience),
      pace_(settings.bytes_per_second) {
  patience_.stop = [this] { return stopping(); };
}

std::string Engine::what(const FileTransfer& transfer) const {
  return fmt::format("cannot download {} of {}", base::escape_controls(transfer.file().path),
                     settings_.id);
}

void Engine::run() {
  {
    std::vector<std::jthread> threads;
    try {
      threads.emplace_back([this] { guarded(&Engine::finisher); });
      for (int i = 0; i < settings_.connections; ++i) {
        threads.emplace_back([this] { guarded(&Engine::connection); });
      }
    } catch (...) {  // no thread: those that are there must not wait for it
      failed_ = true;
      throw;
    }
  }
  for (const auto& transfer : open_) {
    try {
      transfer->save();
    } catch (...) {  // the first failure is the one to report
      if (!failure_) failure_ = std::current_exception();
    }
  }
  if (failure_) std::rethrow_exception(failure_);
  if (!all_published()) throw Stopped();
}

/// The first failure ends everything.
void Engine::guarded(void (Engine::*body)()) {
  try {
    (this->*body)();
  } catch (const Stopped&) {  // run() sees that not all is there
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    failed_ = true;
  }
  changed_.notify_all();
}

std::optional<Piece> Engine::next_piece() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopping()) throw Stopped();
    if (all_published()) return {};
    for (const auto& transfer : open_) {
      if (auto piece = Piece::take(transfer)) return piece;
    }
    if (next_task_ < tasks_.size() && open_.size() < most_open()) {
      open_.push_back(std::make_shared<FileTransfer>(tasks_[next_task_], settings_.segment_bytes,
                                                     settings_.resume));
      ++next_task_;
      changed_.notify_all();
      continue;
    }
    changed_.wait_for(lock, std::chrono::milliseconds(100));
  }
}

void Engine::connection() {
  HubClient client(access_, [this] { return stopping(); });
  for (;;) {
    {
      auto piece = next_piece();
      if (!piece) return;
      fetch(client, *piece);
    }
    changed_.notify_all();
  }
}

void Engine::fetch(HubClient& client, Piece& piece) {
  Attempts attempts(patience_, what(piece.transfer()));
  std::uint64_t came = 0;  // in one attempt
  const std::function<void(std::uint64_t)> received = [&](std::uint64_t bytes) {
    came += bytes;
    if (came >= kLeastProgress) attempts.progressed();
    tell(events_.received, bytes);
    pace_.take(bytes, [this] { return stopping(); });
  };
  // After a failure the Hub is asked for another signed address: the old one may be the cause.
  attempts.run([&]() -> std::optional<Failure> {
    if (!piece.is_wanted() || piece.left().size() == 0) return {};
    came = 0;
    try {
      auto failure = fetch_once(client, piece, received);
      if (failure) piece.transfer().set_direct({});
      return failure;
    } catch (const TransportError&) {
      piece.transfer().set_direct({});
      if (piece.left().size() == 0) return {};
      throw;
    }
  });
}

std::optional<Failure> Engine::fetch_once(HubClient& client, Piece& piece,
                                          const std::function<void(std::uint64_t)>& received) {
  FileTransfer& transfer = piece.transfer();
  const auto ask = [&](std::optional<Url>& direct, RangeSink& sink) {
    return client.open(settings_.id, settings_.commit, transfer.file(), piece.left(), direct, sink);
  };
  std::optional<Url> direct = transfer.direct();
  const bool was_direct = direct.has_value();
  RangeSink sink(piece, settings_.commit, !was_direct, received);
  Answer answer = ask(direct, sink);
  std::string problem = sink.problem();
  if (was_direct && (answer.head.status == 403 || answer.head.status == 400)) {
    // A signed address that was good before has run out: the Hub gives another one.
    direct.reset();
    RangeSink again(piece, settings_.commit, true, received);
    answer = ask(direct, again);
    problem = again.problem();
  }
  if (!problem.empty()) return Failure{problem};
  const bool is_good = answer.head.status / 100 == 2;
  transfer.set_direct(is_good ? direct : std::nullopt);
  if (auto failure =
          client.failure_of(answer, client.asked_for_file("cannot download", settings_.id,
                                                          settings_.commit, transfer.file()))) {
    return failure;
  }
  if (piece.left().size() == 0 || !piece.is_wanted()) return {};
  return Failure{fmt::format("the answer ended {} early", base::format_bytes(piece.left().size()))};
}

void Engine::finisher() {
  std::vector<std::byte> buffer(kHashedAtOnce);
  for (;;) {
    if (stopping()) throw Stopped();
    Transfers open;
    {
      const std::lock_guard lock(mutex_);
      if (all_published()) return;
      open = open_;
    }
    bool worked = false;
    for (const auto& transfer : open) {
      if (stopping()) throw Stopped();
      worked = transfer->hash_some(buffer) || worked;
      if (transfer->is_complete()) finish(transfer);
    }
    if (worked) continue;
    open.clear();
    std::unique_lock lock(mutex_);
    if (!all_published()) changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

void Engine::finish(const std::shared_ptr<FileTransfer>& transfer) {
  if (!transfer->is_right()) {
    fetch_again(*transfer);
    return;
  }
  transfer->publish();
  {
    const std::lock_guard lock(mutex_);
    std::erase(open_, transfer);
  }
  changed_.notify_all();
  tell(events_.file_done, transfer->file());
}

void Engine::fetch_again(FileTransfer& transfer) {
  if (transfer.times_restarted() > 0) {
    transfer.abandon();
    throw base::ValidationError(
        what(transfer), "its content does not have the hash that the Hub lists, twice",
        "the file on the server or a proxy on the way is damaged; try again later");
  }
  transfer.restart();
  tell(events_.warning,
       fmt::format("{} is fetched again", base::escape_controls(transfer.file().path)),
       std::string("its content does not have the hash that the Hub lists"));
}

}  // namespace

void download(const HubAccess& access, const std::vector<DownloadTask>& tasks,
              const DownloadSettings& settings, const DownloadEvents& events) {
  if (tasks.empty()) return;
  Engine(access, tasks, settings, events).run();
}

}  // namespace lq::net
