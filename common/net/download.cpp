#include "common/net/download.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <fmt/format.h>
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

/// Connections that fetch pieces, and one thread that hashes and finishes files.
class Engine {
 public:
  Engine(const HubAccess& access, const std::vector<DownloadTask>& tasks,
         const DownloadSettings& settings, const DownloadEvents& events);
  void run();

 private:
  struct Piece {
    FileTransfer* transfer = nullptr;
    Extent extent;
  };

  void connection();
  void finisher();
  void guarded(void (Engine::*body)());
  std::optional<Piece> next_piece();
  void fetch(HubClient& client, FileTransfer& transfer, Extent left);
  std::optional<Failure> fetch_once(HubClient& client, FileTransfer& transfer, Extent& left,
                                    const std::function<void(std::uint64_t)>& received);
  void finish(FileTransfer& transfer);
  void fetch_again(FileTransfer& transfer);
  bool stopping() const { return failed_ || (access_.http.stop && access_.http.stop()); }
  /// Files under way: each holds a descriptor, and a kill loses those that wait for the finisher.
  std::size_t most_open() const { return static_cast<std::size_t>(settings_.connections) + 4; }
  std::string what(const FileTransfer& transfer) const;
  template <class Event, class... Values>
  void tell(const Event& event, const Values&... values) {
    const std::lock_guard lock(events_mutex_);
    if (event) event(values...);
  }

  const HubAccess& access_;
  const DownloadSettings& settings_;
  const DownloadEvents& events_;
  Patience patience_;
  BytePace pace_;
  std::mutex mutex_, events_mutex_;
  std::condition_variable changed_;
  std::deque<FileTransfer> transfers_;
  std::size_t unpublished_ = 0;
  std::atomic<bool> failed_ = false;
  std::exception_ptr failure_;
};

Engine::Engine(const HubAccess& access, const std::vector<DownloadTask>& tasks,
               const DownloadSettings& settings, const DownloadEvents& events)
    : access_(access),
      settings_(settings),
      events_(events),
      patience_(access.patience),
      pace_(settings.bytes_per_second),
      unpublished_(tasks.size()) {
  patience_.stop = [this] { return stopping(); };
  for (const DownloadTask& task : tasks) transfers_.emplace_back(task);
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
  for (FileTransfer& transfer : transfers_) {
    try {
      transfer.save();
    } catch (...) {  // the first failure is the one to report
      if (!failure_) failure_ = std::current_exception();
    }
  }
  if (failure_) std::rethrow_exception(failure_);
  if (unpublished_ > 0) throw Stopped();
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

std::optional<Engine::Piece> Engine::next_piece() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopping()) throw Stopped();
    if (unpublished_ == 0) return {};
    std::size_t open = 0;
    for (FileTransfer& transfer : transfers_) {
      if (transfer.is_published()) continue;
      if (!transfer.is_open()) {
        if (open >= most_open()) break;
        transfer.open(settings_.segment_bytes, settings_.resume);
        changed_.notify_all();
      }
      ++open;
      if (const auto extent = transfer.take_piece()) return Piece{&transfer, *extent};
    }
    changed_.wait_for(lock, std::chrono::milliseconds(100));
  }
}

void Engine::connection() {
  HubClient client(access_, [this] { return stopping(); });
  while (const auto piece = next_piece()) {
    fetch(client, *piece->transfer, piece->extent);
    piece->transfer->end_piece();
    changed_.notify_all();
  }
}

void Engine::fetch(HubClient& client, FileTransfer& transfer, Extent left) {
  Attempts attempts(patience_, what(transfer));
  const std::function<void(std::uint64_t)> received = [&](std::uint64_t bytes) {
    attempts.progressed();
    tell(events_.received, bytes);
    pace_.take(bytes, [this] { return stopping(); });
  };
  // After a failure the Hub is asked for another signed address: the old one may be the cause.
  attempts.run([&]() -> std::optional<Failure> {
    try {
      auto failure = fetch_once(client, transfer, left, received);
      if (failure) transfer.set_direct({});
      return failure;
    } catch (const NothingMoreToDo&) {
      return {};
    } catch (const TransportError&) {
      transfer.set_direct({});
      if (left.size() == 0) return {};
      throw;
    }
  });
}

std::optional<Failure> Engine::fetch_once(HubClient& client, FileTransfer& transfer, Extent& left,
                                          const std::function<void(std::uint64_t)>& received) {
  const Asked asked =
      client.asked_for_file("cannot download", settings_.id, settings_.commit, transfer.file());
  for (;;) {
    std::optional<Url> direct = transfer.direct();
    const bool was_direct = direct.has_value();
    RangeSink sink(transfer, settings_.commit, !was_direct, left, received);
    const Answer answer = client.open(settings_.id, settings_.commit, transfer.file(),
                                      ByteRange{left.begin, left.end - 1}, direct, sink);
    if (!sink.problem().empty()) return Failure{sink.problem()};
    const bool is_good = answer.head.status / 100 == 2;
    transfer.set_direct(is_good ? direct : std::nullopt);
    // A signed address that was good before has run out: the Hub gives another one.
    if (was_direct && (answer.head.status == 403 || answer.head.status == 400)) continue;
    if (auto failure = client.failure_of(answer, asked)) return failure;
    if (left.size() == 0) return {};
    return Failure{fmt::format("the answer ended {} early", base::format_bytes(left.size()))};
  }
}

void Engine::finisher() {
  std::vector<std::byte> buffer(kHashedAtOnce);
  for (;;) {
    bool worked = false;
    for (FileTransfer& transfer : transfers_) {
      if (stopping()) throw Stopped();
      if (!transfer.is_open()) continue;
      worked = transfer.hash_some(buffer) || worked;
      if (transfer.is_complete()) finish(transfer);
    }
    std::unique_lock lock(mutex_);
    if (unpublished_ == 0) return;
    if (!worked) changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

void Engine::finish(FileTransfer& transfer) {
  if (!transfer.is_right()) {
    fetch_again(transfer);
    return;
  }
  transfer.publish();
  {
    const std::lock_guard lock(mutex_);
    --unpublished_;
  }
  changed_.notify_all();
  tell(events_.file_done, transfer.file());
}

void Engine::fetch_again(FileTransfer& transfer) {
  if (transfer.discard() == 2) {
    throw base::ValidationError(
        what(transfer), "its content does not have the hash that the Hub lists, twice",
        "the file on the server or a proxy on the way is damaged; try again later");
  }
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
