#pragma once
// Trying again: how often, how long between, and what the server asks for.

#include <functional>
#include <optional>
#include <string>

#include "common/net/http.h"

namespace lq::net {

struct Patience {
  int retries = 3;               // in a row without anything to speak of received
  double first_wait = 1;         // seconds; each further one is twice as long
  double longest_hint = 600;     // what a server may ask for
  std::string hint_option = {};  // that allows more: "--max-wait"; empty where there is none
  /// Told before each wait.
  std::function<void(const std::string& why, double seconds)> announce = {};
  std::function<bool()> stop = {};  // polled while waiting
};

/// Seconds since 1970.
double unix_now();
/// Seconds of a clock that only grows.
double steady_now();

/// Seconds that the server asks to wait: the reset of a used-up RateLimit, else Retry-After
/// (seconds or an HTTP date). `now`: Unix seconds.
std::optional<double> server_hint(const HttpHead& head, double now);

/// Whether the status is that of a failure which may pass.
bool is_transient(long status);
/// The same for a failure of the connection.
bool is_transient(TransportFailure failure);

/// What people are told of a wait: "...; next attempt in 1.0 s".
std::string waiting_text(const std::string& why, double seconds);

/// Sleeps in small steps. Throws Stopped.
void sleep_unless_stopped(double seconds, const std::function<bool()>& stop);

/// An attempt that failed and may succeed later.
struct Failure {
  std::string why;
  std::optional<double> hint = {};  // seconds that the server asks to wait
  std::optional<int> retries = {};  // where fewer than usual make sense
};

/// Thrown by an attempt that cannot return its failure.
struct FailedAttempt {
  Failure failure;
};

/// The attempts at one unit of work: an API call, or one range of a file.
class Attempts {
 public:
  /// `what` begins the message of the error: "cannot download x of org/name". `patience` is
  /// referred to.
  Attempts(const Patience& patience, std::string what)
      : patience_(patience), what_(std::move(what)) {}

  /// Calls `once` until it returns nothing. A TransportError or FailedAttempt of it is a failure
  /// too. The waits
  /// between grow and vary by a quarter, so that many clients do not come back at once. Throws
  /// NetworkError when there were enough attempts, for a failure that does not pass, or when the
  /// server asks for too long a wait; Stopped; and what `once` throws.
  void run(const std::function<std::optional<Failure>()>& once);
  /// Called by `once` when data came: the count starts again.
  void progressed() { failed_ = 0; }

 private:
  void wait_after(const Failure& failure);

  const Patience& patience_;
  const std::string what_;
  int failed_ = 0;
};

}  // namespace lq::net
