#pragma once
// What happens during a run, told twice: to people on standard error (text, or JSON lines with
// --log-format json) at the chosen verbosity, and to --log-file as JSON lines with everything.
//
// A JSON line is {"t":time,"lvl":level,"tool":...,"run":id,"pid":...,"ev":event,...}. Every line is
// one write().

#include <memory>
#include <nlohmann/json.hpp>
#include <spdlog/common.h>
#include <string>

#include "common/base/errors.h"
#include "common/cli/common_options.h"
#include "common/cli/console.h"

namespace spdlog {
class logger;
}

namespace lq::cli {

/// Thread rule: all members may be called at once from several threads.
class RunLog {
 public:
  /// `console` is referred to from then on. Throws OutputError when the log file cannot be opened.
  RunLog(std::string tool, const SessionOptions& session, bool colour, Console& console);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  /// An event with its numbers; `text` is what people read, none when empty.
  void event(spdlog::level::level_enum level, const std::string& name,
             const nlohmann::ordered_json& fields, const std::string& text = {});
  /// A plain line for people at normal verbosity.
  void message(const std::string& text);
  /// Details for people at debug verbosity; JSON lines carry them in the event itself.
  void detail(const std::string& text);
  void warning(const std::string& what, const std::string& why);
  void error(const base::QuantizationError& error);

  /// Whether standard error takes text (false: JSON lines).
  bool tells_text() const { return !json_; }

 private:
  std::string json_text(spdlog::level::level_enum level, const std::string& name,
                        const nlohmann::ordered_json& fields) const;

  std::string tool_, run_id_;
  bool json_, colour_;
  std::unique_ptr<spdlog::logger> people_, file_;  // file_: none without --log-file
};

/// The three parts of an error as they stand on standard error, without the last newline. An
/// interruption is one line.
std::string error_text(const std::string& tool, const base::QuantizationError& error, bool colour);

/// RFC 3339, UTC, milliseconds.
std::string timestamp_now();

}  // namespace lq::cli
