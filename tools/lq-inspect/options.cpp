#include "tools/lq-inspect/options.h"

#include <filesystem>
#include <system_error>

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
  table.text(
      "tokenize", 0, "FILE", options.tokenize,
      "ids and pieces of the text in FILE (-: standard input, unchanged) as the tokenizer of "
      "MODEL cuts it; only its tokenizer files are read");
  table.flag("no-special", 0, options.no_special,
             "with --tokenize: without what the tokenizer puts around a text; special tokens that "
             "are written in the text are still recognised");
}

Operands split_operands(const Options& options, const std::vector<std::string>& operands) {
  Operands split{.models = {}, .estimate_types = options.estimate_types};
  // A lone operand is the model, whatever it is called.
  const bool list_may_follow =
      options.estimate && options.estimate_types.empty() && operands.size() > 1;
  std::error_code ignored;  // a list may be longer than any file name
  for (const std::string& operand : operands) {
    if (list_may_follow && split.estimate_types.empty() &&
        !std::filesystem::exists(operand, ignored) && names_types(operand)) {
      split.estimate_types = operand;
    } else {
      split.models.push_back(operand);
    }
  }
  return split;
}

}  // namespace lq::inspect
