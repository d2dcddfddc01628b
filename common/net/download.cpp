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
#include "common/net/content_hash.h"
#include "common/net/pace.h"
#include "common/net/partial_file.h"

namespace lq::net {
namespace {

constexpr std::size_t kHashedAtOnce = std::size_t{1} << 20;

/// One file under way. Members are guarded by the engine's mutex but for `partial`, which guards
/// itself, and the hash, which only the finisher feeds.
struct FileState {
  const DownloadTask* task = nullptr;
  std::unique_ptr<PartialFile> partial;  // while it is worked on
  std::deque<Extent> todo;
  int in_flight = 0;          // pieces that connections are at
  std::optional<Url> direct;  // the signed address of the last answer
  std::thread::id whole_by;   // who fetches all of it, when the server takes no ranges
  int times_wrong = 0;
  bool published = false;
  std::unique_ptr<ContentHash> hash;
  std::uint64_t hashed = 0;

  const RepoFile& file() const { return task->file; }
};

/// Somebody else fetches this file now, or all that was asked for is there.
struct NothingMoreToDo {};

class Engine {
 public:
  Engine(const HubAccess& access, const std::vector<DownloadTask>& tasks,
         const DownloadSettings& settings, const DownloadEvents& events);
  void run();

 private:
  friend class RangeSink;
  struct Piece {
    FileState* state = nullptr;
    Extent extent;
  };

  void connection();
  void finisher();
  void guarded(void (Engine::*body)());
  std::optional<Piece> next_piece();
  void start(FileState& state);
  void fetch(HubClient& client, Piece piece);
  std::optional<Failure> fetch_once(HubClient& client, const Piece& piece, std::uint64_t& at,
                                    Extent& extent, Attempts& attempts);
  bool hash_some(FileState& state, std::vector<std::byte>& buffer);
  void finish(FileState& state);
  void fetch_again(FileState& state);
  bool stopping() const { return failed_ || (access_.http.stop && access_.http.stop()); }
  /// Files under way: each holds a descriptor, and a kill loses those that wait for the finisher.
  std::size_t most_open() const { return static_cast<std::size_t>(settings_.connections) + 4; }
  /// Once all bytes are there nobody comes any more; who is still at it could write.
  bool nobody_at(const FileState& state) {
    const std::lock_guard lock(mutex_);
    return state.in_flight == 0;
  }
  std::string what(const FileState& state) const;

  const HubAccess& access_;
  const DownloadSettings& settings_;
  const DownloadEvents& events_;
  Patience patience_;
  BytePace pace_;
  std::mutex mutex_, events_mutex_;
  std::condition_variable changed_;
  std::vector<FileState> files_;
  std::size_t unpublished_ = 0;
  std::atomic<bool> failed_ = false;
  std::exception_ptr failure_;
};

/// The bytes of one answer on their way to their place.
class RangeSink : public BodySink {
 public:
  RangeSink(Engine& engine, FileState& state, const std::string& commit, bool from_endpoint,
            std::uint64_t& at, Extent& extent, Attempts& attempts)
      : engine_(engine),
        state_(state),
        commit_(commit),
        at_endpoint_(from_endpoint),
        at_(at),
        extent_(extent),
        attempts_(attempts) {}

  void redirected(const HttpHead& hop, bool from_endpoint, bool to_endpoint) override {
    if (from_endpoint && problem_.empty()) problem_ = mismatch(hop, commit_, state_.file());
    at_endpoint_ = to_endpoint;
  }

  bool begin(const HttpHead& head) override {
    if (head.status / 100 != 2) return false;
    if (problem_.empty() && at_endpoint_) problem_ = mismatch(head, commit_, state_.file());
    if (problem_.empty()) problem_ = place_problem(head);
    return problem_.empty();
  }

  void data(std::span<const std::byte> bytes) override {
    {
      const std::lock_guard lock(engine_.mutex_);
      if (state_.whole_by != std::thread::id() && state_.whole_by != std::this_thread::get_id()) {
        throw NothingMoreToDo();
      }
    }
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), extent_.end - at_));
    if (n == 0) throw NothingMoreToDo();
    // What lies before the prefix may be hashed already: it is never written twice, and is no
    // progress.
    const std::uint64_t have = state_.partial->prefix();
    const auto old = static_cast<std::size_t>(have > at_ ? std::min<std::uint64_t>(have - at_, n)
                                                         : std::uint64_t{0});
    if (old < n) take_new(at_ + old, bytes.subspan(old, n - old));
    at_ += n;
  }

  const std::string& problem() const { return problem_; }

 private:
  void take_new(std::uint64_t offset, std::span<const std::byte> bytes) {
    state_.partial->write(offset, bytes);
    attempts_.progressed();
    if (state_.file().size > kSmallFile) state_.partial->save_if_due();
    if (engine_.events_.received) {
      const std::lock_guard lock(engine_.events_mutex_);
      engine_.events_.received(bytes.size());
    }
    engine_.pace_.take(bytes.size(), [this] { return engine_.stopping(); });
  }

  /// Whether the answer holds the bytes that were asked for.
  std::string place_problem(const HttpHead& head) {
    const RepoFile& file = state_.file();
    if (head.status == 206) return range_problem(head, {at_, extent_.end - 1}, file.size);
    const std::string length = head.header("content-length");
    if (!length.empty() && length != fmt::format("{}", file.size)) {
      return fmt::format("the answer has {} bytes, not {}", base::escape_controls(length),
                         file.size);
    }
    // The server takes no ranges: this connection takes the whole file, the others leave it alone.
    const std::lock_guard lock(engine_.mutex_);
    if (state_.whole_by == std::thread::id()) state_.whole_by = std::this_thread::get_id();
    if (state_.whole_by != std::this_thread::get_id()) throw NothingMoreToDo();
    state_.todo.clear();
    at_ = 0;
    extent_ = {0, file.size};
    return "";
  }

  Engine& engine_;
  FileState& state_;
  const std::string& commit_;
  bool at_endpoint_;
  std::uint64_t& at_;
  Extent& extent_;
  Attempts& attempts_;
  std::string problem_;
};

Engine::Engine(const HubAccess& access, const std::vector<DownloadTask>& tasks,
               const DownloadSettings& settings, const DownloadEvents& events)
    : access_(access),
      settings_(settings),
      events_(events),
      patience_(access.patience),
      pace_(settings.bytes_per_second),
      files_(tasks.size()),
      unpublished_(tasks.size()) {
  patience_.stop = [this] { return stopping(); };
  for (std::size_t i = 0; i < tasks.size(); ++i) files_[i].task = &tasks[i];
}

std::string Engine::what(const FileState& state) const {
  return fmt::format("cannot download {} of {}", base::escape_controls(state.file().path),
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
  for (FileState& state : files_) {
    if (state.partial == nullptr || state.file().size <= kSmallFile) continue;
    try {
      state.partial->save();
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

void Engine::start(FileState& state) {
  const RepoFile& file = state.file();
  auto partial = std::make_unique<PartialFile>(file, state.task->partial, state.task->journal);
  if (!settings_.resume && state.times_wrong == 0) partial->discard();
  const std::uint64_t piece = file.size <= kSmallFile ? kSmallFile : settings_.segment_bytes;
  for (const Extent& extent : partial->missing(piece)) state.todo.push_back(extent);
  state.hash = std::make_unique<ContentHash>(file);
  state.partial = std::move(partial);  // last: the finisher looks for it
}

std::optional<Engine::Piece> Engine::next_piece() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopping()) throw Stopped();
    if (unpublished_ == 0) return {};
    std::size_t open = 0;
    for (FileState& state : files_) {
      if (state.published) continue;
      if (state.partial == nullptr) {
        if (open >= most_open()) break;
        start(state);
        changed_.notify_all();
      }
      ++open;
      if (state.todo.empty()) continue;
      const Piece piece{&state, state.todo.front()};
      state.todo.pop_front();
      ++state.in_flight;
      return piece;
    }
    changed_.wait_for(lock, std::chrono::milliseconds(100));
  }
}

void Engine::connection() {
  HubClient client(access_, [this] { return stopping(); });
  while (const auto piece = next_piece()) {
    fetch(client, *piece);
    {
      const std::lock_guard lock(mutex_);
      --piece->state->in_flight;
    }
    changed_.notify_all();
  }
}

void Engine::fetch(HubClient& client, Piece piece) {
  Attempts attempts(patience_, what(*piece.state));
  std::uint64_t at = piece.extent.begin;
  Extent extent = piece.extent;
  // After a failure the Hub is asked for another signed address: the old one may be the cause.
  const auto forget_direct = [&] {
    const std::lock_guard lock(mutex_);
    piece.state->direct.reset();
  };
  attempts.run([&]() -> std::optional<Failure> {
    try {
      auto failure = fetch_once(client, piece, at, extent, attempts);
      if (failure) forget_direct();
      return failure;
    } catch (const NothingMoreToDo&) {
      return {};
    } catch (const TransportError&) {
      forget_direct();
      if (at == extent.end) return {};
      throw;
    }
  });
}

std::optional<Failure> Engine::fetch_once(HubClient& client, const Piece& piece, std::uint64_t& at,
                                          Extent& extent, Attempts& attempts) {
  FileState& state = *piece.state;
  const RepoFile& file = state.file();
  for (;;) {
    std::optional<Url> direct;
    {
      const std::lock_guard lock(mutex_);
      direct = state.direct;
    }
    const bool was_direct = direct.has_value();
    RangeSink sink(*this, state, settings_.commit, !was_direct, at, extent, attempts);
    const Answer answer = client.open(settings_.id, settings_.commit, file,
                                      ByteRange{at, extent.end - 1}, direct, sink);
    if (!sink.problem().empty()) return Failure{sink.problem()};
    {
      const std::lock_guard lock(mutex_);
      state.direct = answer.head.status / 100 == 2 ? direct : std::nullopt;
    }
    // A signed address that was good before has run out: the Hub gives another one.
    if (was_direct && (answer.head.status == 403 || answer.head.status == 400)) continue;
    if (auto failure = client.failure_of(
            answer,
            client.asked_for_file("cannot download", settings_.id, settings_.commit, file))) {
      return failure;
    }
    if (at == extent.end) return {};
    return Failure{fmt::format("the answer ended {} early", base::format_bytes(extent.end - at))};
  }
}

/// Hashes what has come since the last time. False when there was nothing to do.
bool Engine::hash_some(FileState& state, std::vector<std::byte>& buffer) {
  const std::uint64_t prefix = state.partial->prefix();
  bool worked = false;
  while (state.hashed < prefix && !stopping()) {
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), prefix - state.hashed));
    state.partial->read(state.hashed, std::span(buffer).first(n));
    state.hash->update(std::span(buffer).first(n));
    state.hashed += n;
    worked = true;
  }
  return worked;
}

void Engine::finisher() {
  std::vector<std::byte> buffer(kHashedAtOnce);
  for (;;) {
    bool worked = false;
    for (FileState& state : files_) {
      if (stopping()) throw Stopped();
      {
        const std::lock_guard lock(mutex_);
        if (state.partial == nullptr || state.published) continue;
      }
      worked = hash_some(state, buffer) || worked;
      if (state.hashed == state.file().size && nobody_at(state)) finish(state);
    }
    std::unique_lock lock(mutex_);
    if (unpublished_ == 0) return;
    if (!worked) changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

void Engine::finish(FileState& state) {
  if (!state.hash->is_right()) {
    fetch_again(state);
    return;
  }
  state.partial->sync();
  state.task->publish();
  state.partial->finish();
  {
    const std::lock_guard lock(mutex_);
    state.partial.reset();
    state.published = true;
    --unpublished_;
  }
  changed_.notify_all();
  if (events_.file_done) {
    const std::lock_guard lock(events_mutex_);
    events_.file_done(state.file());
  }
}

void Engine::fetch_again(FileState& state) {
  state.partial->discard();
  if (++state.times_wrong == 2) {
    std::filesystem::remove(state.task->partial);
    throw base::ValidationError(
        what(state), "its content does not have the hash that the Hub lists, twice",
        "the file on the server or a proxy on the way is damaged; try again later");
  }
  if (events_.warning) {
    const std::lock_guard lock(events_mutex_);
    events_.warning(fmt::format("{} is fetched again", base::escape_controls(state.file().path)),
                    "its content does not have the hash that the Hub lists");
  }
  const std::lock_guard lock(mutex_);
  state.whole_by = {};
  state.direct.reset();
  state.partial.reset();  // the next free connection starts it anew
  state.hash.reset();
  state.hashed = 0;
}

}  // namespace

void download(const HubAccess& access, const std::vector<DownloadTask>& tasks,
              const DownloadSettings& settings, const DownloadEvents& events) {
  if (tasks.empty()) return;
  Engine(access, tasks, settings, events).run();
}

}  // namespace lq::net
