#include "common/stage/stop.h"

#include <array>
#include <atomic>
#include <csignal>
#include <fmt/format.h>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace lq::stage {
namespace {

std::atomic<int> requested = 0;
static_assert(std::atomic<int>::is_always_lock_free, "the handler may touch nothing else");

struct SignalRow {
  int signal;
  StopReason reason;
};
constexpr std::array kSignals = {
    SignalRow{SIGHUP, StopReason::kHangup}, SignalRow{SIGINT, StopReason::kInterrupt},
    SignalRow{SIGTERM, StopReason::kTerminate}, SignalRow{SIGUSR1, StopReason::kUser}};

const char* reason_text(StopReason reason) {
  switch (reason) {
    case StopReason::kHangup:
      return "the terminal went away (SIGHUP)";
    case StopReason::kInterrupt:
      return "it was interrupted (SIGINT)";
    case StopReason::kTerminate:
      return "it was told to end (SIGTERM)";
    case StopReason::kUser:
      return "it was asked to stop (SIGUSR1)";
    case StopReason::kTimeLimit:
      return "the time limit is reached";
    case StopReason::kNone:
      break;
  }
  return "nothing";
}

extern "C" void on_signal(int signal) {
  for (const SignalRow& row : kSignals) {
    if (row.signal != signal) continue;
    if (requested.exchange(static_cast<int>(row.reason)) != 0) {
      ::_exit(static_cast<int>(stop_exit_code(row.reason)));
    }
  }
}

}  // namespace

base::ExitCode stop_exit_code(StopReason reason) {
  switch (reason) {
    case StopReason::kHangup:
      return base::ExitCode::kHangup;
    case StopReason::kInterrupt:
      return base::ExitCode::kInterrupted;
    case StopReason::kTerminate:
      return base::ExitCode::kTerminated;
    default:
      return base::ExitCode::kStopped;
  }
}

Interrupted::Interrupted(StopReason reason, std::size_t units_done, std::size_t units)
    : QuantizationError(
          (units > 0 ? fmt::format("interrupted after {} of {} units", units_done, units)
                     : "interrupted before the work began") +
              "; run the same command to continue",
          reason_text(reason), "run the same command to continue"),
      reason_(reason) {}

void install_signal_handlers() {
  // Products of matrices may have the stack pointer somewhere in their own memory, where a handler
  // would write its frame: one thread that does nothing else takes the signals, for all that are
  // started from here on.
  static std::once_flag once;
  std::call_once(once, [] {
    sigset_t taken;
    ::sigemptyset(&taken);
    for (const SignalRow& row : kSignals) ::sigaddset(&taken, row.signal);
    ::pthread_sigmask(SIG_BLOCK, &taken, nullptr);
    std::thread([] {
      sigset_t none;
      ::sigemptyset(&none);
      ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
      while (true) ::pause();
    }).detach();
  });
  for (const SignalRow& row : kSignals) {
    struct sigaction old = {};
    ::sigaction(row.signal, nullptr, &old);
    if (old.sa_handler == SIG_IGN) continue;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(row.signal, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

StopReason stop_requested() { return static_cast<StopReason>(requested.load()); }

void request_stop(StopReason reason) { requested.store(static_cast<int>(reason)); }

StopCondition::StopCondition(std::optional<double> time_limit_seconds) {
  if (!time_limit_seconds) return;
  deadline_ = std::chrono::steady_clock::now() +
              std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                  std::chrono::duration<double>(*time_limit_seconds));
}

StopReason StopCondition::reason() const {
  const StopReason signal = stop_requested();
  if (signal != StopReason::kNone) return signal;
  const bool late = deadline_ && std::chrono::steady_clock::now() >= *deadline_;
  return late ? StopReason::kTimeLimit : StopReason::kNone;
}

}  // namespace lq::stage
