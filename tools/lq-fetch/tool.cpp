#include "tools/lq-fetch/tool.h"

#include "common/base/text.h"
#include "common/net/hub_settings.h"
#include "tools/lq-fetch/fetch_run.h"
#include "tools/lq-fetch/list.h"
#include "tools/lq-fetch/session.h"
#include "tools/lq-fetch/verify.h"

namespace lq::fetch {

const cli::ToolSpec& Fetch::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-fetch",
      .operands = "REPOSITORY",
      .summary = "Fetch a model from the Hub, whole, verified and resumable.",
      .examples = {"lq-fetch HuggingFaceTB/SmolLM2-135M-Instruct",
                   "lq-fetch org/name@v1.0 -o models/name", "lq-fetch org/name --list",
                   "lq-quant-gguf \"$(lq-fetch org/name)\" -t Q4_K_M"},
      .exit_codes = {ExitCode::kDone, ExitCode::kUsage, ExitCode::kNotFound,
                     ExitCode::kAuthentication, ExitCode::kOutOfMemory, ExitCode::kValidation,
                     ExitCode::kCheckpoint, ExitCode::kOutput, ExitCode::kNetwork, ExitCode::kBusy,
                     ExitCode::kStopped, ExitCode::kHangup, ExitCode::kInterrupted,
                     ExitCode::kTerminated}};
  return kSpec;
}

void Fetch::declare(cli::OptionTable& table) { fetch::declare(table, options_); }

/// What the Hub's own client is told by these.
std::vector<cli::Assignment> Fetch::defaults(const cli::OptionTable& table,
                                             const base::Environment& environment) const {
  std::vector<cli::Assignment> given;
  const auto add = [&](const char* option, const char* value, const char* variable) {
    given.push_back({table.find(option), value, variable});
  };
  if (net::is_true(environment.get("HF_HUB_DISABLE_PROGRESS_BARS"))) {
    add("progress", "never", "HF_HUB_DISABLE_PROGRESS_BARS");
  }
  const std::string verbosity = base::to_lower(environment.get("HF_HUB_VERBOSITY"));
  if (verbosity == "error" || verbosity == "critical")
    add("verbosity", "quiet", "HF_HUB_VERBOSITY");
  if (verbosity == "info") add("verbosity", "verbose", "HF_HUB_VERBOSITY");
  if (verbosity == "debug") add("verbosity", "debug", "HF_HUB_VERBOSITY");
  if (net::is_true(environment.get("HF_DEBUG"))) add("verbosity", "debug", "HF_DEBUG");
  return given;
}

void Fetch::validate(const std::vector<std::string>&, const cli::CommonOptions& common) {
  check(options_, !common.output.empty(), common.stage.shard.has_value());
}

cli::ToolResult Fetch::run(const std::vector<std::string>& operands,
                           const cli::CommonOptions& common, stage::StageObserver& observer) {
  const Session session = open_session(operands[0], options_, common, observer);
  try {
    if (options_.list) return list(session);
    return options_.verify ? verify(session) : fetch(session);
  } catch (const net::Stopped&) {
    throw stage::Interrupted(session.stop_reason(), 0, 0);
  }
}

}  // namespace lq::fetch
