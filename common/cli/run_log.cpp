#include "common/cli/run_log.h"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fstream>
#include <mutex>
#include <random>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/cli/result.h"
#include "common/stage/stop.h"

namespace lq::cli {
namespace {

using spdlog::level::level_enum;

/// Lines to the console, which keeps the progress bar out of their way.
class ConsoleSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ConsoleSink(Console& console) : console_(console) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    console_.print({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  Console& console_;
};

/// Appends to a file, one write() a line, so that several runs may share it.
/// A mistyped --log-file must not grow a model.
void require_log(const std::string& path) {
  constexpr std::string_view kStart = "{\"t\":";
  std::ifstream file(path, std::ios::binary);
  std::string start(kStart.size(), '\0');
  if (!file || !file.read(start.data(), 1)) return;  // new or empty
  file.read(start.data() + 1, static_cast<std::streamsize>(start.size() - 1));
  if (start == kStart) return;
  throw base::OutputError("cannot append to " + base::escape_controls(path),
                          "the file is there and is no log of these tools",
                          "choose another --log-file, or remove that file");
}

class AppendingSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit AppendingSink(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (fd_ >= 0) return;
    throw base::OutputError("cannot open the log file " + base::escape_controls(path),
                            base::errno_text(errno), "choose another --log-file, or leave it out");
  }
  ~AppendingSink() override { ::close(fd_); }
  AppendingSink(const AppendingSink&) = delete;
  AppendingSink& operator=(const AppendingSink&) = delete;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    descriptor_writer(fd_)(std::string(message.payload.data(), message.payload.size()) + "\n");
  }
  void flush_() override {}

 private:
  int fd_;
};

level_enum level_of(int verbosity) {
  if (verbosity <= kErrorsOnly) return level_enum::err;
  if (verbosity == kQuiet) return level_enum::warn;
  if (verbosity == kNormal) return level_enum::info;
  return verbosity == kVerbose ? level_enum::debug : level_enum::trace;
}

const char* level_name(level_enum level) {
  switch (level) {
    case level_enum::trace:
      return "trace";
    case level_enum::debug:
      return "debug";
    case level_enum::warn:
      return "warn";
    case level_enum::err:
      return "error";
    default:
      return "info";
  }
}

std::unique_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink, level_enum level) {
  auto logger = std::make_unique<spdlog::logger>("lq", std::move(sink));
  logger->set_level(level);
  logger->flush_on(level_enum::warn);
  return logger;
}

std::string label(const std::string& word, const char* colour_code, bool colour) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", colour_code, word) : word;
}

}  // namespace

std::string timestamp_now() {
  const auto now = std::chrono::system_clock::now();
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), milliseconds);
}

std::string error_text(const std::string& tool, const base::QuantizationError& error, bool colour) {
  if (dynamic_cast<const stage::Interrupted*>(&error) != nullptr) {
    return fmt::format("{}: {}", tool, error.what());
  }
  return fmt::format("{}: {} {}\n  why: {}\n  fix: {}", tool, label("error:", "1;31", colour),
                     error.what(), error.why(), error.fix());
}

RunLog::RunLog(std::string tool, const SessionOptions& session, bool colour, Console& console)
    : tool_(std::move(tool)),
      run_id_(fmt::format("{:08x}", std::random_device()())),
      json_(session.log_format == "json"),
      colour_(colour),
      people_(make_logger(std::make_shared<ConsoleSink>(console), level_of(session.verbosity))) {
  if (!session.log_file.empty()) {
    require_log(session.log_file);
    file_ = make_logger(std::make_shared<AppendingSink>(session.log_file), level_enum::trace);
  }
}

RunLog::~RunLog() = default;

std::string RunLog::json_text(level_enum level, const std::string& name,
                              const nlohmann::ordered_json& fields) const {
  nlohmann::ordered_json line = {{"t", timestamp_now()}, {"lvl", level_name(level)},
                                 {"tool", tool_},        {"run", run_id_},
                                 {"pid", ::getpid()},    {"ev", name}};
  for (const auto& [key, value] : fields.items()) line[key] = value;
  return json_line(line);
}

void RunLog::event(level_enum level, const std::string& name, const nlohmann::ordered_json& fields,
                   const std::string& text) {
  const bool json_wanted = file_ != nullptr || (json_ && people_->should_log(level));
  const std::string line = json_wanted ? json_text(level, name, fields) : std::string();
  if (file_ != nullptr) file_->log(level, spdlog::string_view_t(line));
  const std::string& told = json_ ? line : text;
  if (!told.empty()) people_->log(level, spdlog::string_view_t(told));
}

void RunLog::message(const std::string& text) {
  event(level_enum::info, "message", {{"text", text}}, fmt::format("{}: {}", tool_, text));
}

void RunLog::detail(const std::string& text) {
  if (!json_) people_->trace("{}: {}", tool_, text);
}

void RunLog::warning(const std::string& what, const std::string& why) {
  event(level_enum::warn, "warn", {{"what", what}, {"why", why}},
        fmt::format("{}: {} {}\n  why: {}", tool_, label("warning:", "1;33", colour_), what, why));
}

void RunLog::error(const base::QuantizationError& error) {
  event(level_enum::err, "error", error_json(error), error_text(tool_, error, colour_));
}

}  // namespace lq::cli
