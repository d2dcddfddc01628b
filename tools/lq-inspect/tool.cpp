#include "tools/lq-inspect/tool.h"

#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "tools/lq-inspect/diff.h"
#include "tools/lq-inspect/estimate.h"
#include "tools/lq-inspect/facts.h"
#include "tools/lq-inspect/hf_facts.h"
#include "tools/lq-inspect/report.h"

namespace lq::inspect {
namespace {

cli::ToolResult compare(const ModelFacts& left, const ModelFacts& right) {
  const std::vector<Difference> found = differences(left, right);
  cli::ToolResult result;
  result.lines = text_of(found);
  result.json = {{"path", left.path}, {"other", right.path}, {"diff", json_of(found)}};
  return result;
}

Estimates estimate(const ModelFacts& facts, const Options& options, int n_threads) {
  if (facts.kind != "huggingface") {
    throw base::UnsupportedError(
        fmt::format("cannot estimate outputs of {}", base::escape_controls(facts.path)),
        "outputs are made from a Hugging Face directory, and this is a GGUF file",
        "name the directory of the original model");
  }
  return {estimate_sizes(open_for_estimate(facts.path), options.estimate_types,
                         options.importance_path, n_threads),
          this_machine(n_threads)};
}

}  // namespace

const cli::ToolSpec& Inspect::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-inspect",
      .operands = "MODEL",
      .summary = "Say what a model is and what its quantized forms will cost.",
      .max_operands = 2,
      .makes_output = false,
      .examples = {"lq-inspect my-model", "lq-inspect my-model --estimate=Q4_K_M,Q6_K",
                   "lq-inspect model.gguf --tensors", "lq-inspect my-model --json | jq .parameters",
                   "lq-inspect my-model --diff other-model"},
      .exit_codes = {ExitCode::kDone, ExitCode::kUsage, ExitCode::kNotFound, ExitCode::kOutOfMemory,
                     ExitCode::kValidation, ExitCode::kOutput, ExitCode::kUnsupported,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kReaderGone,
                     ExitCode::kTerminated}};
  return kSpec;
}

void Inspect::declare(cli::OptionTable& table) { inspect::declare(table, options_); }

void Inspect::validate(const std::vector<std::string>& operands, const cli::CommonOptions&) {
  if (claim_estimate_types(options_, operands).size() != 1) {
    throw base::UsageError("more than one model was given",
                           fmt::format("'{}' is neither a model nor a list of types",
                                       base::escape_controls(operands[1])),
                           "inspect one at a time, or compare two with --diff OTHER");
  }
}

cli::ToolResult Inspect::run(const std::vector<std::string>& operands,
                             const cli::CommonOptions& common, stage::StageObserver&) {
  Options options = options_;
  const ModelFacts facts = read_facts(claim_estimate_types(options, operands)[0]);
  if (!options.diff.empty()) return compare(facts, read_facts(options.diff));
  std::optional<Estimates> estimates;
  if (options.estimate) estimates = estimate(facts, options, common.stage.n_threads);
  cli::ToolResult result;
  result.lines = text_report(facts, options.tensors, estimates);
  result.json = json_report(facts, options.tensors, estimates);
  return result;
}

}  // namespace lq::inspect
