#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>
#include <typeinfo>
#include <unistd.h>

#include "common/base/text.h"
#include "common/cli/console.h"
#include "common/cli/depfile.h"
#include "common/cli/operands.h"
#include "common/cli/progress.h"
#include "common/cli/run_log.h"
#include "common/cli/run_observer.h"
#include "common/cli/standard_output.h"
#include "common/cli/tool.h"
#include "common/cli/tool_options.h"
#include "common/cli/version.h"
#include "common/io/atomic_file.h"
#include "common/io/output_error.h"
#include "common/parallel/memory.h"
#include "common/stage/host.h"
#include "common/stage/stop.h"

namespace lq::cli {
namespace {

using base::ExitCode;
using spdlog::level::level_enum;

/// One run of one tool, from argv to the exit code.
class Session {
 public:
  Session(std::vector<std::string> argv, Tool& tool)
      : argv_(std::move(argv)),
        tool_(tool),
        output_closed_(keep_standard_descriptors()),
        environment_(base::Environment::of_process()),
        terminal_(terminal_facts(STDERR_FILENO, environment_)),
        console_(descriptor_writer(STDERR_FILENO)),
        options_(tool, environment_) {}

  ExitCode run();

 private:
  ExitCode run_parsed();
  void start_messages();
  std::vector<std::string> read_operands();
  ToolResult run_tool(const std::vector<std::string>& operands);
  void write_depfile(const ToolResult& result) const;
  void check_output_is_open() const;
  void print(const std::string& text) const;
  ExitCode fail(const base::QuantizationError& error);
  base::ConversionError internal_error(const std::exception& error) const;
  void end_log(ExitCode code);
  double seconds() const { return gauges_.seconds() - started_; }
  const std::string& name() const { return tool_.spec().name; }

  const std::vector<std::string> argv_;
  Tool& tool_;
  const bool output_closed_;
  const base::Environment environment_;
  const TerminalFacts terminal_;
  Console console_;
  ToolOptions options_;
  const Gauges gauges_ = machine_gauges();
  const double started_ = gauges_.seconds();
  // Made once the options are known; destroyed in the reverse order.
  std::unique_ptr<RunLog> log_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<RunObserver> observer_;
};

void Session::check_output_is_open() const {
  if (!output_closed_) return;
  throw base::OutputError("cannot write the result to standard output", "standard output is closed",
                          "connect it to a file, a pipe or /dev/null");
}

void Session::print(const std::string& text) const {
  check_output_is_open();
  write_result(STDOUT_FILENO, text);
}

void Session::start_messages() {
  const SessionOptions& session = options_.session();
  log_ = std::make_unique<RunLog>(name(), session, terminal_.colour, console_);
  const nlohmann::ordered_json settings = settings_json(options_.table(), options_.settings());
  nlohmann::ordered_json effective = nlohmann::ordered_json::object();
  for (const auto& [option, entry] : settings.items()) effective[option] = entry["value"];
  log_->event(level_enum::debug, "run.start",
              {{"version", version()},
               {"argv", options_.common().argv},
               {"options", effective},
               {"host", stage::host_name()}});
  progress_ = std::make_unique<Progress>(
      name(), progress_style(session, terminal_), terminal_.columns,
      options_.common().stage.memory_limit, gauges_, console_,
      Progress::Hooks{.line = [this](const std::string& text) { log_->message(text); },
                      .warn = [this](const std::string& what,
                                     const std::string& why) { log_->warning(what, why); }});
  observer_ = std::make_unique<RunObserver>(*log_, *progress_, options_.common().stage.shard);
}

/// Everything that can be wrong with the command line is reported before anybody waits for standard
/// input.
std::vector<std::string> Session::read_operands() {
  const CommonOptions& common = options_.common();
  check_operand_count(tool_.spec(), options_.operands());
  require_printable(common.output, common.json, common.null_terminated);
  tool_.validate(options_.operands(), common);
  std::vector<std::string> operands =
      expand_operands(options_.operands(), common.null_terminated, STDIN_FILENO);
  if (operands != options_.operands()) {
    check_operand_count(tool_.spec(), operands);
    tool_.validate(operands, common);
  }
  return operands;
}

ToolResult Session::run_tool(const std::vector<std::string>& operands) {
  CommonOptions& common = options_.common();
  if (tool_.spec().makes_output) {
    stage::install_signal_handlers();
    common.stage.depfile = common.depfile;
    common.stage.abandon = [this](const stage::Interrupted& interrupted) {
      // Called beside threads that are still at work: nothing they use may be destroyed.
      const ExitCode code = fail(interrupted);
      end_log(code);
      ::_exit(static_cast<int>(code));
    };
  }
  return tool_.run(operands, common, *observer_);
}

void Session::write_depfile(const ToolResult& result) const {
  const CommonOptions& common = options_.common();
  if (common.depfile.empty() || result.targets.empty()) return;
  const std::vector<std::string> targets =
      depfile_targets(result.targets, common.output, std::filesystem::current_path());
  io::write_file_atomically(common.depfile, depfile_text(targets, result.dependencies));
}

ExitCode Session::run_parsed() {
  options_.parse(argv_);
  if (const auto information = options_.information()) {
    print(*information);
    return ExitCode::kDone;
  }
  options_.settle();
  if (options_.session().print_config) {
    print(options_.print_config());
    return ExitCode::kDone;
  }
  check_output_is_open();
  start_messages();
  const ToolResult result = run_tool(read_operands());
  observer_->stop_ticking();
  const CommonOptions& common = options_.common();
  const std::string text = render(result, name(), common.json, common.null_terminated, seconds());
  write_depfile(result);
  print(text);
  return result.code;
}

ExitCode Session::fail(const base::QuantizationError& error) {
  if (dynamic_cast<const stage::Interrupted*>(&error) != nullptr && log_ != nullptr) {
    log_->event(level_enum::debug, "checkpoint", {{"why", error.what()}});
  }
  if (log_ != nullptr) {
    log_->error(error);
  } else {
    console_.print(error_text(name(), error, terminal_.colour));
  }
  if (options_.wants_json() && !output_closed_) {
    try {
      write_result(STDOUT_FILENO, render_failure(error, name(), seconds()));
    } catch (const base::OutputError&) {  // the first failure is the one to report
    } catch (const ReaderGone&) {
    }
  }
  return error.exit_code();
}

void Session::end_log(ExitCode code) {
  if (log_ == nullptr) return;
  log_->event(
      level_enum::debug, "run.end",
      {{"code", static_cast<int>(code)}, {"s", seconds()}, {"peak_rss", parallel::peak_rss()}});
}

/// The one place where an exception becomes the end of a program.
ExitCode Session::run() {
  ExitCode code = ExitCode::kDone;
  const auto fail_with = [&](const base::QuantizationError& error) {
    if (observer_ != nullptr) observer_->stop_ticking();
    code = fail(error);
  };
  try {
    code = run_parsed();
  } catch (const base::QuantizationError& error) {
    fail_with(error);
  } catch (const ReaderGone&) {
    if (tool_.spec().makes_output) {
      fail_with(
          base::OutputError("cannot write the result to standard output", "its reader went away",
                            "the result was made; run the same command again to see its path"));
    } else {
      code = ExitCode::kReaderGone;
    }
  } catch (const std::bad_alloc&) {
    fail_with(base::OutOfMemoryError(
        "cannot go on without more memory", "the system refused an allocation",
        "lower --memory or --threads, or end other programs; then run the same command again"));
  } catch (const std::filesystem::filesystem_error& error) {
    const std::string path = base::shown(error.path1());
    fail_with(io::output_error("cannot work with " + path, error.code().value(), error.path1()));
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) {
      fail_with(internal_error(error));
    } else {
      fail_with(base::OutOfMemoryError("cannot start a thread", error.code().message(),
                                       "use fewer with -j 1, or raise the limit (ulimit -u)"));
    }
  } catch (const std::exception& error) {
    fail_with(internal_error(error));
  }
  end_log(code);
  return code;
}

base::ConversionError Session::internal_error(const std::exception& error) const {
  const std::string kind =
      options_.session().verbosity >= kDebug ? fmt::format(" ({})", typeid(error).name()) : "";
  return {"internal error", base::escape_controls(error.what()) + kind,
          fmt::format("this is a bug in {}, not in your input: please report it with the output of "
                      "'{} --version -v'",
                      name(), name())};
}

/// Memory ran out where an exception cannot pass, such as in a destructor: what is left is to say
/// so. Nothing here allocates.
[[noreturn]] void end_out_of_memory() {
  try {
    if (const std::exception_ptr error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    constexpr std::string_view kText =
        "error: cannot go on without more memory\n"
        "  why: the system refused an allocation\n"
        "  fix: end other programs, or raise the limit (ulimit -v); then run the same command "
        "again\n";
    [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, kText.data(), kText.size());
    ::_exit(static_cast<int>(ExitCode::kOutOfMemory));
  } catch (...) {
    std::abort();
  }
  std::abort();
}

}  // namespace

int run_tool(int argc, char** argv, Tool& tool) {
  // A pipe whose reader went away, and a file size limit, become errors of write().
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  std::set_terminate(end_out_of_memory);
  return static_cast<int>(Session({argv, argv + argc}, tool).run());
}

}  // namespace lq::cli
