#pragma once
// Stopping on purpose: a signal or the time limit asks, the run stores its checkpoint and throws
// Interrupted.
//
// Handlers only set a flag; everything that takes long polls it at least every 100 ms.

#include <chrono>
#include <cstddef>
#include <optional>

#include "common/base/errors.h"

namespace lq::stage {

enum class StopReason : int { kNone, kHangup, kInterrupt, kTerminate, kUser, kTimeLimit };

/// 129, 130, 143 for signals; 75 for SIGUSR1 and the time limit.
base::ExitCode stop_exit_code(StopReason reason);

/// Not a failure: the checkpoint is stored and the same command continues. what() is the whole
/// message.
class Interrupted : public base::QuantizationError {
 public:
  /// `units` is 0 before there is a plan.
  Interrupted(StopReason reason, std::size_t units_done, std::size_t units);
  base::ExitCode exit_code() const override { return stop_exit_code(reason_); }
  StopReason reason() const { return reason_; }

 private:
  StopReason reason_;
};

/// SIGHUP, SIGINT, SIGTERM and SIGUSR1 ask for a stop; a second one ends the process at once with
/// that exit code. Signals that were ignored when the process started stay ignored (nohup,
/// background jobs). SIGPIPE and SIGXFSZ are ignored, so that writing reports an error instead. Call
/// it before threads are started: a thread of its own takes the signals.
void install_signal_handlers();

/// What a signal has asked for. Long units may poll it and end early by throwing.
StopReason stop_requested();
/// What the signal handler does; also for tests, which reset it with kNone.
void request_stop(StopReason reason);

/// Signals and a time limit together. Thread rule: reason() may be called from any thread.
class StopCondition {
 public:
  explicit StopCondition(std::optional<double> time_limit_seconds);
  StopReason reason() const;

 private:
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace lq::stage
