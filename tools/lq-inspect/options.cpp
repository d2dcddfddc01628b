#include "tools/lq-inspect/options.h"

#include <filesystem>

#include "tools/lq-inspect/estimate.h"

namespace lq::inspect {

void declare(cli::OptionTable& table, Options& options) {
  table.group("What to show");
  table.flag("tensors", 0, options.tensors, "list every tensor: name, type, shape, bytes");
  cli::Option estimate;
  estimate.name = "estimate";
  estimate.value_name = "TYPE,...";
  estimate.optional_value = true;
  estimate.help =
      "exact output size per type (all when none is named), with the disk and memory each stage "
      "needs; GGUF types as in lq-quant-gguf -t, AWQ-g128, GPTQ-4bit-g128 and the like";
  estimate.set = [&options](const std::string& types) {
    options.estimate = true;
    options.estimate_types = types;
  };
  estimate.get = [&options] { return options.estimate ? options.estimate_types : ""; };
  table.add(std::move(estimate));
  table.text("imatrix", 0, "FILE", options.importance_path,
             "estimate for files made with this importance matrix");
  table.text("diff", 0, "OTHER", options.diff,
             "what differs between MODEL and OTHER: metadata, shapes, types");
}

std::vector<std::string> claim_estimate_types(Options& options, std::vector<std::string> operands) {
  if (!options.estimate || !options.estimate_types.empty() || operands.size() < 2) return operands;
  for (auto operand = operands.begin(); operand != operands.end(); ++operand) {
    if (!std::filesystem::exists(*operand) && names_types(*operand)) {
      options.estimate_types = *operand;
      operands.erase(operand);
      break;
    }
  }
  return operands;
}

}  // namespace lq::inspect
