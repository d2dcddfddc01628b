#include "tools/lq-quant-gptq/tool.h"

#include "common/cli/version.h"
#include "common/kernels/target.h"
#include "common/quantizer/run_quantizer.h"

namespace lq::quant_gptq {

const cli::ToolSpec& QuantGptq::spec() const {
  using base::ExitCode;
  static const cli::ToolSpec kSpec = {
      .name = "lq-quant-gptq",
      .operands = "MODEL",
      .summary = "Quantize a model directory with GPTQ, for vLLM and transformers.",
      .examples = {"lq-quant-gptq my-model --calibration my-model-calib -o my-model-gptq",
                   "lq-quant-gptq my-model --calibration my-model-calib --sequential",
                   "lq-quant-gptq my-model --bits 3 --group-size 32 --format compressed-tensors",
                   "for k in 1 2; do lq-quant-gptq my-model --calibration my-model-calib "
                   "--shard $k/2 & done; wait; "
                   "lq-quant-gptq my-model --calibration my-model-calib"},
      .exit_codes = {ExitCode::kDone, ExitCode::kConversion, ExitCode::kUsage, ExitCode::kNotFound,
                     ExitCode::kOutOfMemory, ExitCode::kValidation, ExitCode::kCheckpoint,
                     ExitCode::kOutput, ExitCode::kBusy, ExitCode::kUnsupported, ExitCode::kStopped,
                     ExitCode::kHangup, ExitCode::kInterrupted, ExitCode::kTerminated}};
  return kSpec;
}

void QuantGptq::declare(cli::OptionTable& table) { quant_gptq::declare(table, options_); }

void QuantGptq::validate(const std::vector<std::string>&, const cli::CommonOptions& common) {
  kernels::active_target();  // a wrong LQ_SIMD is found before anything is written
  request_ = check(options_, common.stage.shard);
}

cli::ToolResult QuantGptq::run(const std::vector<std::string>& operands,
                               const cli::CommonOptions& common, stage::StageObserver& observer) {
  return quantizer::run_quantizer(
      {operands[0], options_.calibration_dir, common.output, std::string(cli::version()),
       std::string(cli::commit()), common.argv, common.stage},
      request_, observer);
}

}  // namespace lq::quant_gptq
