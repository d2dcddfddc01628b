#include "common/net/pace.h"

#include <algorithm>

#include "common/net/rate_limit.h"
#include "common/net/retry.h"

namespace lq::net {

void BytePace::take(std::uint64_t bytes, const std::function<bool()>& stop) {
  if (!(bytes_per_second_ > 0)) return;
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  Seconds wait(0);
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    const auto cost = std::chrono::duration_cast<Clock::duration>(
        Seconds(static_cast<double>(bytes) / bytes_per_second_));
    free_at_ = std::max(free_at_, now) + cost;
    wait = free_at_ - now;
  }
  sleep_unless_stopped(wait.count(), stop);
}

void RequestPace::note(const HttpHead& head) {
  const RateLimit limit = rate_limit_of(head);
  constexpr double kScarce = 0.05;
  const std::lock_guard lock(mutex_);
  if (!limit.left || !limit.quota || !limit.seconds_to_reset) return;
  const bool scarce = *limit.left < kScarce * *limit.quota;
  wait_ = scarce ? *limit.seconds_to_reset / std::max(1.0, *limit.left) : 0;
}

double RequestPace::wait_seconds() {
  const std::lock_guard lock(mutex_);
  return wait_;
}

}  // namespace lq::net
