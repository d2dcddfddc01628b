#pragma once
// One run at a time makes an output. The lock is `<output>.lq-lock`, held with flock, so that the
// kernel frees it whatever happens to its holder; the file says who that is. Shards hold it shared,
// and each one a lock of its own.
//
// Where the file system refuses flock, a second file `<lock>.held` made with O_EXCL stands for the
// lock; its holder refreshes its time, and one that was not refreshed for long is taken to be of a
// dead run. That is weaker, but no file's correctness rests on locks: results appear by rename, and
// a unit has the same bytes whoever makes it.

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/stage/stop.h"

namespace lq::stage {

enum class LockMode { kExclusive, kShared };

struct LockRequest {
  std::filesystem::path output;  // for messages
  std::filesystem::path path;    // of the lock file
  LockMode mode = LockMode::kExclusive;
  std::vector<std::string> argv;  // recorded as the holder
  double wait_seconds = 0;
  std::function<StopReason()> stop = {};  // polled while waiting; may be empty
  /// Called once before waiting; may be empty.
  std::function<void(const std::string& holder)> waiting = {};

  bool use_flock = true;
  std::chrono::milliseconds refresh_every{30'000}, stale_after{300'000};  // without flock
};

class OutputLock {
 public:
  /// Throws BusyError that names the holder, OutputError where the file cannot be made, Interrupted
  /// while waiting.
  explicit OutputLock(LockRequest request);
  /// Frees the lock, and removes its file when nobody else can be holding it.
  ~OutputLock();
  OutputLock(OutputLock&&) noexcept;
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;
  OutputLock& operator=(OutputLock&&) = delete;

 private:
  class Heartbeat;
  bool try_flock();
  bool try_held_file();
  void record_holder(int fd) const;

  LockRequest request_;
  int fd_ = -1;
  std::unique_ptr<Heartbeat> heartbeat_;
};

/// Throws BusyError when another process holds the lock in a way that excludes `mode`. Changes
/// nothing.
void probe_lock(const std::filesystem::path& output, const std::filesystem::path& path,
                LockMode mode);

}  // namespace lq::stage
