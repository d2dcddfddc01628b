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

void RequestPace::note(const HttpHead& head, double now) {
  const RateLimit limit = rate_limit_of(head);
  constexpr double kScarce = 0.05;
  const std::lock_guard lock(mutex_);
  if (!limit.left || !limit.quota || !limit.seconds_to_reset) return;
  if (*limit.left >= kScarce * *limit.quota) {
    until_ = next_ = 0;
    return;
  }
  until_ = now + *limit.seconds_to_reset;
  interval_ = *limit.seconds_to_reset / std::max(1.0, *limit.left);
}

double RequestPace::take(double now) {
  const std::lock_guard lock(mutex_);
  if (now >= until_) return 0;
  next_ = std::max(next_, now) + interval_;
  return std::min(next_, until_) - now;
}

}  // namespace lq::net
