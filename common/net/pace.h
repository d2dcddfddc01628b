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
  void note(const HttpHead& head);
  /// Seconds that the next request should wait: below a twentieth of the quota what is left is
  /// spread over the time to its reset.
  double wait_seconds();

 private:
  std::mutex mutex_;
  double wait_ = 0;
};

}  // namespace lq::net
