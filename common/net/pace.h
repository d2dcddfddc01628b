#pragma once
// How fast things may go: the user's --limit-rate for bytes, the server's quota for requests.

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>

#include "common/net/http.h"

namespace lq::net {

/// Bytes per second over all connections. Thread rule: any thread.
class BytePace {
 public:
  /// 0 = as fast as it goes.
  explicit BytePace(double bytes_per_second) : bytes_per_second_(bytes_per_second) {}
  /// Returns when the bytes are due. Throws Stopped.
  void take(std::uint64_t bytes, const std::function<bool()>& stop);

 private:
  const double bytes_per_second_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point free_at_ = {};  // when the bytes so far have been paid for
};

/// The quota that the Hub tells with each answer (RateLimit, RateLimit-Policy). Thread rule: any
/// thread.
class RequestPace {
 public:
  /// `now`: seconds of a clock that only grows, the same for both members.
  void note(const HttpHead& head, double now);
  /// Seconds that the next request should wait: below a twentieth of the quota what is left is
  /// spread over the time to its reset. Each call takes a turn.
  double take(double now);

 private:
  std::mutex mutex_;
  double interval_ = 0, next_ = 0, until_ = 0;
};

}  // namespace lq::net
