#include "common/base/errors.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace lq::base {
namespace {

constexpr std::array kExitCodes = {
    ExitCodeRow{ExitCode::kDone, "", "done, or already up to date"},
    ExitCodeRow{ExitCode::kConversion, "ConversionError",
                "conversion failed (non-finite values, internal error)"},
    ExitCodeRow{ExitCode::kUsage, "UsageError", "usage: option, operand or config file"},
    ExitCodeRow{ExitCode::kNotFound, "ModelNotFoundError",
                "model or another named input not found"},
    ExitCodeRow{ExitCode::kAuthentication, "AuthenticationError",
                "authentication or permission at the server"},
    ExitCodeRow{ExitCode::kOutOfMemory, "OutOfMemoryError",
                "out of memory, found at planning or later"},
    ExitCodeRow{ExitCode::kValidation, "ValidationError",
                "validation failed: damaged or inconsistent input"},
    ExitCodeRow{ExitCode::kCheckpoint, "CheckpointError", "checkpoint unusable"},
    ExitCodeRow{ExitCode::kOutput, "OutputError",
                "output not writable: disk full, permission, foreign file in the way"},
    ExitCodeRow{ExitCode::kNetwork, "NetworkError", "network failed after retries"},
    ExitCodeRow{ExitCode::kBusy, "BusyError", "busy: another run holds this output"},
    ExitCodeRow{ExitCode::kUnsupported, "UnsupportedError",
                "unsupported architecture, tensor type or option for this model"},
    ExitCodeRow{ExitCode::kStopped, "", "stopped on purpose, checkpoint saved: run it again"},
    ExitCodeRow{ExitCode::kHangup, "", "stopped by SIGHUP"},
    ExitCodeRow{ExitCode::kInterrupted, "", "stopped by SIGINT"},
    ExitCodeRow{ExitCode::kReaderGone, "", "the reader of standard output went away"},
    ExitCodeRow{ExitCode::kTerminated, "", "stopped by SIGTERM"},
};

}  // namespace

std::span<const ExitCodeRow> exit_codes() { return kExitCodes; }

const ExitCodeRow& exit_code_row(ExitCode code) {
  const auto row = std::ranges::find(kExitCodes, code, &ExitCodeRow::code);
  assert(row != kExitCodes.end());
  return *row;
}

QuantizationError::QuantizationError(std::string what, std::string why, std::string fix)
    : what_(std::move(what)), why_(std::move(why)), fix_(std::move(fix)) {}

}  // namespace lq::base
