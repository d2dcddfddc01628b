#include "common/cli/common_options.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <string_view>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/cli/values.h"
#include "common/parallel/memory.h"

namespace lq::cli {
namespace {

constexpr std::int64_t kMaxThreads = 4096, kMaxShards = 100'000;
constexpr std::array<std::string_view, 5> kVerbosityNames = {"errors", "quiet", "normal", "verbose",
                                                             "debug"};

void declare_output(OptionTable& table, CommonOptions& common) {
  table.text("output", 'o', "PATH", common.output,
             "where the result goes; default in the current directory, named after the input");
  table.flag("force", 'f', common.stage.force,
             "redo what is up to date, replace what these tools did not make, discard an unusable "
             "checkpoint");
  table.flag("dry-run", 'n', common.stage.dry_run,
             "check inputs, output, disk and memory, print the plan, change nothing");
  table.text("depfile", 0, "FILE", common.depfile, "write the inputs as rules for make to FILE");
}

void declare_checkpoints(OptionTable& table, CommonOptions& common,
                         const base::Environment& environment) {
  table.add(
      {.name = "tmp-dir",
       .value_name = "DIR",
       .help = "scratch space, for tools that need any; default $TMPDIR, else beside the output",
       .set = [&common](const std::string& text) { common.tmp_dir = text; },
       .get = [&common] { return common.tmp_dir.string(); }});
  table.add({.name = "checkpoint-dir",
             .value_name = "DIR",
             .help = "keep checkpoints in DIR; default beside the output",
             .set = [&common](const std::string& text) { common.stage.checkpoint_dir = text; },
             .get = [&common] { return common.stage.checkpoint_dir.string(); }});
  table.add({.name = "no-resume",
             .help = "ignore the checkpoint of an earlier run and replace it",
             .set = [&common](const std::string& text) { common.stage.resume = text != "true"; },
             .get = [&common] { return std::string(common.stage.resume ? "false" : "true"); }});
  table.add(
      {.name = "shard",
       .value_name = "K/N",
       .help = "do only part K of N; 'auto' takes both from a SLURM array job; afterwards "
               "the same command without --shard finishes the result",
       .set = [&common, &environment](
                  const std::string& text) { common.stage.shard = parse_shard(text, environment); },
       .get =
           [&common] {
             const auto& shard = common.stage.shard;
             return shard ? fmt::format("{}/{}", shard->index, shard->count) : std::string();
           }});
  table.add({.name = "wait",
             .value_name = "SEC",
             .help = "wait for another run that holds the output, at most SEC",
             .optional_value = true,
             .set =
                 [&common](const std::string& text) {
                   common.stage.wait_seconds = text.empty() || text == "inf"
                                                   ? std::numeric_limits<double>::infinity()
                                                   : parse_seconds(text);
                 },
             .get =
                 [&common] {
                   const auto& wait = common.stage.wait_seconds;
                   return wait ? format_number(*wait) : std::string();
                 }});
  table.seconds("time-limit", 0, "TIME", common.stage.time_limit_seconds,
                "stop after TIME (90, 15m, 2h) with a checkpoint and exit status 75");
}

void declare_machine(OptionTable& table, CommonOptions& common) {
  table.add({.name = "threads",
             .letter = 'j',
             .value_name = "N",
             .help = "threads to use; default all allowed processors; never changes the result",
             .set =
                 [&common](const std::string& text) {
                   common.stage.n_threads = static_cast<int>(parse_integer(text, 1, kMaxThreads));
                 },
             .get = [&common] { return std::to_string(common.stage.n_threads); }});
  table.size("memory", 0, "SIZE", common.stage.memory_limit,
             "memory to plan for, such as 512M or 4G; default 80 % of what is available");
}

void declare_messages(OptionTable& table, SessionOptions& session) {
  const auto step = [&session](int direction) {
    return [&session, direction](const std::string& text) {
      if (text != "true") return;
      const int from = session.verbosity * direction > 0 ? session.verbosity : kNormal;
      session.verbosity = std::clamp(from + direction, kErrorsOnly, kDebug);
    };
  };
  table.add({.name = "quiet",
             .letter = 'q',
             .help = "warnings and errors only; twice: errors only",
             .counts_as = "verbosity",
             .set = step(-1)});
  table.add({.name = "verbose",
             .letter = 'v',
             .help = "one line per unit of work; twice: details of each",
             .counts_as = "verbosity",
             .set = step(1)});
  table.add({.name = "verbosity",
             .value_name = "LEVEL",
             .help = "the same in words: errors, quiet, normal, verbose, debug",
             .choices = {kVerbosityNames.begin(), kVerbosityNames.end()},
             .set =
                 [&session](const std::string& text) {
                   const auto name = std::ranges::find(kVerbosityNames, text);
                   session.verbosity =
                       static_cast<int>(name - kVerbosityNames.begin()) + kErrorsOnly;
                 },
             .get =
                 [&session] {
                   const int index = session.verbosity - kErrorsOnly;
                   return std::string(kVerbosityNames.at(static_cast<std::size_t>(index)));
                 }});
  table.text("progress", 0, "WHEN", session.progress,
             "draw a progress bar: auto (on a terminal), always, never",
             {"auto", "always", "never"});
  table.text("log-file", 0, "FILE", session.log_file,
             "append everything that happens to FILE as JSON lines");
  table.text("log-format", 0, "FORMAT", session.log_format,
             "messages on standard error as text or as json lines", {"text", "json"});
}

void declare_command_line_only(OptionTable& table, SessionOptions& session) {
  const auto flag = [&table](const char* name, char letter, bool& value, const char* help) {
    table.add({.name = name,
               .letter = letter,
               .help = help,
               .in_recipes = false,
               .set = [&value](const std::string& text) { value = text == "true"; }});
  };
  table.group("Configuration");
  table.add({.name = "config",
             .value_name = "FILE",
             .help = "read options from the YAML recipe FILE; default $LQ_CONFIG",
             .in_recipes = false,
             .set = [&session](const std::string& text) { session.config = text; }});
  flag("print-config", 0, session.print_config,
       "print every option with its value and where it comes from, then exit");
  table.group("Help");
  flag("help", 'h', session.help, "print this help, then exit");
  flag("version", 'V', session.version, "print the version (with -v: of everything), then exit");
  table.add({.name = "completion",
             .value_name = "SHELL",
             .help = "print the completion script for bash, zsh or fish, then exit",
             .choices = {"bash", "zsh", "fish"},
             .in_recipes = false,
             .set = [&session](const std::string& text) { session.completion = text; }});
}

/// The first number of "4,2" (OpenMP's nested levels); 0 for anything else.
int leading_number(const std::string& text) {
  try {
    return static_cast<int>(parse_integer(text.substr(0, text.find(',')), 1, kMaxThreads));
  } catch (const base::UsageError&) {
    return 0;
  }
}

}  // namespace

void declare_common(OptionTable& table, bool makes_output, CommonOptions& common,
                    SessionOptions& session, const base::Environment& environment) {
  table.group("Output");
  if (makes_output) declare_output(table, common);
  table.flag("json", 0, common.json, "print the result as one JSON object");
  table.flag("null", '0', common.null_terminated, "end paths with NUL instead of a newline");
  table.group("Running");
  declare_machine(table, common);
  if (makes_output) declare_checkpoints(table, common, environment);
  table.group("Messages");
  declare_messages(table, session);
  declare_command_line_only(table, session);
}

std::vector<std::string> common_keys() {
  OptionTable table;
  CommonOptions common;
  SessionOptions session;
  const base::Environment environment;
  declare_common(table, true, common, session, environment);
  return table.names(true);
}

std::vector<Assignment> machine_defaults(const OptionTable& table,
                                         const base::Environment& environment) {
  std::vector<Assignment> defaults;
  const auto add = [&](const char* name, std::string value, std::string origin) {
    const Option* option = table.find(name);
    if (option != nullptr) defaults.push_back({option, std::move(value), std::move(origin)});
  };
  int threads = parallel::allowed_cpus();
  std::string origin = "allowed processors";
  for (const char* variable : {"SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"}) {
    const int given = leading_number(environment.get(variable));
    if (given == 0) continue;
    threads = given;
    origin = variable;
  }
  add("threads", std::to_string(threads), origin);
  const std::uint64_t available = parallel::available_memory();
  if (available > 0) {
    add("memory", std::to_string(available / 5 * 4), "80 % of available memory");
  }
  const std::string tmp_dir = environment.get("TMPDIR");
  if (!tmp_dir.empty()) add("tmp-dir", tmp_dir, "TMPDIR");
  return defaults;
}

stage::Shard parse_shard(const std::string& text, const base::Environment& environment) {
  constexpr std::int64_t kMaxTaskId = 100'000'000;
  const auto number = [](const std::string& digits, std::int64_t lowest,
                         std::int64_t highest = kMaxShards) {
    return static_cast<int>(parse_integer(digits, lowest, highest));
  };
  if (base::to_lower(text) == "auto") {
    const std::string id = environment.get("SLURM_ARRAY_TASK_ID");
    const std::string first = environment.get("SLURM_ARRAY_TASK_MIN");
    const std::string count = environment.get("SLURM_ARRAY_TASK_COUNT");
    if (id.empty() || first.empty() || count.empty()) {
      throw base::UsageError("cannot use --shard auto",
                             "SLURM_ARRAY_TASK_ID, _MIN or _COUNT is not set",
                             "run it as a SLURM array job, or give --shard K/N");
    }
    const stage::Shard shard{number(id, 0, kMaxTaskId) - number(first, 0, kMaxTaskId) + 1,
                             number(count, 1)};
    if (shard.index >= 1 && shard.index <= shard.count) return shard;
    throw base::UsageError(
        "cannot use --shard auto",
        fmt::format("array task {} is not one of {} from {} on in steps of 1", id, count, first),
        "submit the array with step 1, such as --array=1-8");
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {
    const stage::Shard shard{number(text.substr(0, slash), 1), number(text.substr(slash + 1), 1)};
    if (shard.index <= shard.count) return shard;
  }
  throw base::UsageError(
      "cannot use --shard " + base::escape_controls(text),
      fmt::format("'{}' is not K/N with 1 <= K <= N", base::escape_controls(text)),
      "give for example --shard 2/3, or --shard auto in a SLURM array job");
}

}  // namespace lq::cli
