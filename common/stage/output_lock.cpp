#include "common/stage/output_lock.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/io/output_error.h"
#include "common/stage/host.h"
#include "common/stage/paths.h"

namespace lq::stage {
namespace {

using Clock = std::chrono::steady_clock;

std::filesystem::path held_file(const std::filesystem::path& lock) {
  return lock.string() + ".held";
}

bool refused(int error_number) {
  return error_number == ENOLCK || error_number == EOPNOTSUPP || error_number == ENOSYS ||
         error_number == EINVAL;
}

// Another process has it locked exclusively (or at all, when `at_all`).
bool is_locked(const std::filesystem::path& path, bool at_all) {
  // NFS gives an exclusive lock only through a descriptor that may write.
  int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool locked =
      ::flock(fd, (at_all ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return locked;
}

std::string holder_text(const std::filesystem::path& path) {
  std::string text;
  try {
    text = io::read_text_file(path, 1 << 20);
  } catch (const base::QuantizationError&) {
    return "";
  }
  const nlohmann::json holder = nlohmann::json::parse(text, nullptr, false);
  if (!holder.is_object()) return "";
  try {
    return fmt::format(
        "pid {} on {} since {}: {}", holder.at("pid").get<long>(),
        base::escape_controls(holder.at("host").get<std::string>()),
        base::escape_controls(holder.at("start").get<std::string>()),
        base::escape_controls(
            fmt::format("{}", fmt::join(holder.at("argv").get<std::vector<std::string>>(), " "))));
  } catch (const nlohmann::json::exception&) {
    return "";
  }
}

// Who is in the way: the lock's own file tells, or that of a shard that shares it. Who wants to
// share it (a shard, which holds a lock of its own already) meets no other shard.
std::string find_holder(const std::filesystem::path& path, LockMode wanted) {
  if (wanted == LockMode::kExclusive) {
    for (const auto& shard : shard_files(path)) {
      if (!is_locked(shard, true)) continue;
      const std::string holder = holder_text(shard);
      if (!holder.empty()) return holder;
    }
  }
  std::string holder = holder_text(held_file(path));
  if (holder.empty()) holder = holder_text(path);
  return holder.empty() ? "an unknown process" : holder;
}

base::BusyError busy(const std::filesystem::path& output, const std::filesystem::path& lock,
                     LockMode wanted) {
  return {fmt::format("cannot make {}", base::shown(output)),
          fmt::format("another run is making it ({})", find_holder(lock, wanted)),
          "let it finish, or wait for it with --wait"};
}

}  // namespace

// Keeps the time of the `.held` file fresh until it is destroyed.
class OutputLock::Heartbeat {
 public:
  Heartbeat(std::filesystem::path path, std::chrono::milliseconds every)
      : path_(std::move(path)), thread_([this, every] { run(every); }) {}
  ~Heartbeat() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
    ::unlink(path_.c_str());
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  void run(std::chrono::milliseconds every) {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, every, [this] { return ended_; })) {
      ::utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);
    }
  }

  std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;  // last: it uses the others
};

void OutputLock::record_holder(int fd) const {
  const nlohmann::json holder = {
      {"host", host_name()}, {"pid", ::getpid()}, {"start", utc_now()}, {"argv", request_.argv}};
  const std::string text =
      holder.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
  // Only for messages: a lock whose file could not be written holds as well.
  if (::ftruncate(fd, 0) == 0 && ::pwrite(fd, text.data(), text.size(), 0) < 0) return;
}

bool OutputLock::try_held_file() {
  const std::filesystem::path path = held_file(request_.path);
  if (request_.mode == LockMode::kShared) return true;
  const auto status = io::file_status(path);
  if (status) {
    struct timespec now = {};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::int64_t age_ms =
        now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1'000'000 - status->mtime_ns / 1'000'000;
    if (age_ms > request_.stale_after.count()) ::unlink(path.c_str());
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST) return false;
  if (fd < 0) {
    throw io::output_error(fmt::format("cannot lock {}", base::shown(path)), errno, path);
  }
  record_holder(fd);
  ::close(fd);
  heartbeat_ = std::make_unique<Heartbeat>(path, request_.refresh_every);
  return true;
}

bool OutputLock::try_flock() {
  if (!request_.use_flock) return try_held_file();
  const int fd = ::open(request_.path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) {
    throw io::output_error(fmt::format("cannot lock {}", base::shown(request_.output)), errno,
                           request_.path);
  }
  const int kind = request_.mode == LockMode::kExclusive ? LOCK_EX : LOCK_SH;
  if (::flock(fd, kind | LOCK_NB) != 0) {
    const int error_number = errno;
    ::close(fd);
    if (refused(error_number)) {
      request_.use_flock = false;
      return try_held_file();
    }
    return false;
  }
  // The holder before may have removed the file between our open and our lock; then this lock locks
  // nothing.
  const auto locked = io::file_status(fd), named = io::file_status(request_.path);
  if (!locked || !named || locked->inode != named->inode || locked->device != named->device) {
    ::close(fd);
    return false;
  }
  if (request_.mode == LockMode::kExclusive) record_holder(fd);
  fd_ = fd;
  return true;
}

OutputLock::OutputLock(LockRequest request) : request_(std::move(request)) {
  // A probe holds the lock for an instant, which must not look like another run.
  constexpr double kProbeSeconds = 0.2;
  const auto begin = Clock::now();
  constexpr double kTellEvery = 10;
  double tell_at = kProbeSeconds;
  while (!try_flock()) {
    const double waited = std::chrono::duration<double>(Clock::now() - begin).count();
    if (waited >= std::max(request_.wait_seconds, kProbeSeconds)) {
      throw busy(request_.output, request_.path, request_.mode);
    }
    if (waited >= tell_at && request_.waiting) {
      request_.waiting(find_holder(request_.path, request_.mode));
      tell_at = waited + kTellEvery;
    }
    const StopReason reason = request_.stop ? request_.stop() : StopReason::kNone;
    if (reason != StopReason::kNone) throw Interrupted(reason, 0, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(waited < 1 ? 20 : 100));
  }
}

OutputLock::OutputLock(OutputLock&& other) noexcept
    : request_(std::move(other.request_)),
      fd_(std::exchange(other.fd_, -1)),
      heartbeat_(std::move(other.heartbeat_)) {}

OutputLock::~OutputLock() {
  if (heartbeat_ && !request_.use_flock) ::unlink(request_.path.c_str());
  if (fd_ < 0) return;
  // Only the sole holder may remove the file: others that share it would go on holding a file that
  // nobody finds.
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) ::unlink(request_.path.c_str());
  ::close(fd_);
}

void probe_lock(const std::filesystem::path& output, const std::filesystem::path& path,
                LockMode mode) {
  const bool held = io::file_status(held_file(path)).has_value();
  if (held || is_locked(path, mode == LockMode::kExclusive)) throw busy(output, path, mode);
}

}  // namespace lq::stage
