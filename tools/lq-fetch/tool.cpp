#include "tools/lq-fetch/tool.h"

#include "tools/lq-fetch/session.h"
#include "tools/lq-fetch/transfer.h"
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
