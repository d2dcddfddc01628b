#include "tools/lq-verify/tool.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "common/cli/version.h"
#include "common/io/atomic_file.h"
#include "common/verify/reports.h"

namespace lq::verify {

const cli::ToolSpec& Verify::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-verify",
      .operands = "RESULT...",
      .summary = "Check that a quantized model is sound, and measure what it has lost.",
      .max_operands = std::numeric_limits<int>::max(),
      .makes_output = false,
      .examples =
          {"lq-verify my-model-q4_k_m.gguf",
           "lq-verify my-model-gptq-w4 --reference my-model --text builtin",
           "lq-verify a.gguf b-awq c-gptq --reference my-model --text builtin --html r.html",
           "lq-verify m.gguf -r my-model --max-perplexity-increase 5% --junit report.xml"},
      .exit_codes = {ExitCode::kDone, ExitCode::kUsage, ExitCode::kNotFound, ExitCode::kOutOfMemory,
                     ExitCode::kValidation, ExitCode::kOutput, ExitCode::kUnsupported,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kReaderGone,
                     ExitCode::kTerminated}};
  return kSpec;
}

void Verify::declare(cli::OptionTable& table) { verify::declare(table, options_); }

void Verify::validate(const std::vector<std::string>&, const cli::CommonOptions&) {
  check(options_);
}

cli::ToolResult Verify::run(const std::vector<std::string>& operands,
                            const cli::CommonOptions& common, stage::StageObserver& observer) {
  const auto begin = std::chrono::steady_clock::now();
  ExaminationRequest request = request_of(options_, operands, common.stage);
  request.phase = [&observer](const std::string& phase) { observer.detail(phase); };
  const std::vector<Verdict> verdicts = examine(request);
  const Heading heading{options_.reference, options_.calibration,
                        "lq-verify " + std::string(cli::version())};
  if (!options_.junit.empty()) {
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    io::write_file_atomically(options_.junit, junit_report(verdicts, spent.count()));
  }
  if (!options_.html.empty()) {
    io::write_file_atomically(options_.html, html_report(verdicts, heading));
  }
  for (const std::string& line : text_report(verdicts, heading)) observer.message(line);
  cli::ToolResult result;
  result.lines_are_paths = true;
  result.json = json_report(verdicts, heading);
  if (!std::ranges::all_of(verdicts, &Verdict::is_good)) {
    result.status = "failed";
    result.code = base::ExitCode::kValidation;
    return result;
  }
  for (const Verdict& verdict : verdicts) {
    result.lines.push_back(verdict.path.string());
  }
  return result;
}

}  // namespace lq::verify
