#include "common/net/retry.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <curl/curl.h>
#include <fmt/format.h>
#include <random>
#include <thread>

#include "common/base/errors.h"
#include "common/net/rate_limit.h"

namespace lq::net {
namespace {

double random_factor() {
  thread_local std::mt19937 random(std::random_device{}());
  return std::uniform_real_distribution<double>(0.75, 1.25)(random);
}

[[noreturn]] void throw_lasting(const TransportError& error, const std::string& what) {
  if (error.failure() == TransportFailure::kCertificate) {
    throw base::NetworkError(
        what, fmt::format("the server's certificate is not trusted: {}", error.what()),
        "if it is your own server's or proxy's, name its CA file in SSL_CERT_FILE");
  }
  throw base::NetworkError(what, error.what(),
                           "check HF_ENDPOINT; a server that redirects like this is not trusted");
}

}  // namespace

double unix_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double steady_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::optional<double> server_hint(const HttpHead& head, double now) {
  const RateLimit limit = rate_limit_of(head);
  if (limit.left == 0.0 && limit.seconds_to_reset) return *limit.seconds_to_reset + 1;
  const std::string after = head.header("retry-after");
  if (after.empty()) return {};
  if (const auto seconds = non_negative(after)) return seconds;
  const time_t date = curl_getdate(after.c_str(), nullptr);
  if (date < 0) return {};
  return std::max(0.0, static_cast<double>(date) - now);
}

bool is_transient(long status) {
  return status == 408 || status == 416 || status == 425 || status == 429 || status == 500 ||
         status == 502 || status == 503 || status == 504;
}

bool is_transient(TransportFailure failure) {
  return failure != TransportFailure::kCertificate && failure != TransportFailure::kRedirect;
}

std::string waiting_text(const std::string& why, double seconds) {
  return fmt::format("{}; next attempt in {:.1f} s", why, seconds);
}

void sleep_unless_stopped(double seconds, const std::function<bool()>& stop) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    if (stop && stop()) throw Stopped();
    const auto left = end - Clock::now();
    if (left <= Clock::duration::zero()) return;
    std::this_thread::sleep_for(
        std::min<std::chrono::duration<double>>(left, std::chrono::milliseconds(50)));
  }
}

void Attempts::run(const std::function<std::optional<Failure>()>& once) {
  for (;;) {
    std::optional<Failure> failure;
    try {
      failure = once();
    } catch (const FailedAttempt& failed) {
      failure = failed.failure;
    } catch (const TransportError& error) {
      if (!is_transient(error.failure())) throw_lasting(error, what_);
      failure = {error.what()};
    }
    if (!failure) return;
    wait_after(*failure);
  }
}

void Attempts::wait_after(const Failure& failure) {
  const std::string again = "run the same command again later: it goes on where it was";
  if (failure.hint && *failure.hint > patience_.longest_hint) {
    throw base::NetworkError(
        what_,
        fmt::format("{}; the server asks to wait {:.0f} seconds", failure.why, *failure.hint),
        patience_.hint_option.empty()
            ? again
            : again + fmt::format(", or allow the wait with {} {:.0f}", patience_.hint_option,
                                  std::ceil(*failure.hint)));
  }
  if (failed_ >= std::min(patience_.retries, failure.retries.value_or(patience_.retries))) {
    throw base::NetworkError(
        what_, fmt::format("{} (tried {} times)", failure.why, failed_ + 1),
        again + "; if it stays so, check the network, HF_ENDPOINT and the proxy variables");
  }
  const double own = patience_.first_wait * std::ldexp(1.0, failed_) * random_factor();
  const double wait = std::max(own, failure.hint.value_or(0));
  ++failed_;
  if (patience_.announce) patience_.announce(failure.why, wait);
  sleep_unless_stopped(wait, patience_.stop);
}

}  // namespace lq::net
