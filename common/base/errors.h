#pragma once
// Every failure that a user can meet, as one family of exceptions.
//
// An error has three parts: `what` names what was being done and to what, `why` is one sentence
// with the observed fact (numbers, errno text, path), `fix` is an action. There is no constructor
// with fewer parts. The type decides the exit code, and kExitCodes is the one list of codes:
// `--help` and the tests read it.

#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace lq::base {

enum class ExitCode : int {
  kDone = 0,
  kConversion = 1,
  kUsage = 2,
  kNotFound = 3,
  kAuthentication = 4,
  kOutOfMemory = 5,
  kValidation = 6,
  kCheckpoint = 7,
  kOutput = 8,
  kNetwork = 9,
  kBusy = 10,
  kUnsupported = 11,
  kStopped = 75,
  kHangup = 129,
  kInterrupted = 130,
  kReaderGone = 141,
  kTerminated = 143,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view
      name;  // the error type, e.g. "ValidationError"; empty for codes that are no error
  std::string_view meaning;  // as `--help` prints it
};

/// All exit codes in ascending order.
std::span<const ExitCodeRow> exit_codes();
const ExitCodeRow& exit_code_row(ExitCode code);

/// The base of the family. Thread rule: immutable after construction.
class QuantizationError : public std::exception {
 public:
  QuantizationError(std::string what, std::string why, std::string fix);

  const char* what() const noexcept override { return what_.c_str(); }
  const std::string& why() const { return why_; }
  const std::string& fix() const { return fix_; }
  virtual ExitCode exit_code() const { return ExitCode::kConversion; }

 private:
  std::string what_, why_, fix_;
};

template <ExitCode kCode>
class CodedError : public QuantizationError {
 public:
  using QuantizationError::QuantizationError;
  ExitCode exit_code() const override { return kCode; }
};

using ConversionError = CodedError<ExitCode::kConversion>;
using UsageError = CodedError<ExitCode::kUsage>;
using ModelNotFoundError = CodedError<ExitCode::kNotFound>;
using AuthenticationError = CodedError<ExitCode::kAuthentication>;
using OutOfMemoryError = CodedError<ExitCode::kOutOfMemory>;
using ValidationError = CodedError<ExitCode::kValidation>;
using CheckpointError = CodedError<ExitCode::kCheckpoint>;
using OutputError = CodedError<ExitCode::kOutput>;
using NetworkError = CodedError<ExitCode::kNetwork>;
using BusyError = CodedError<ExitCode::kBusy>;
using UnsupportedError = CodedError<ExitCode::kUnsupported>;

}  // namespace lq::base
