#include "tools/lq-quant-gguf/options.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <sstream>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/codec/codec.h"

namespace lq::quant_gguf {
namespace {

mix::MixOverrides::Pattern parse_pattern(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw base::UsageError(fmt::format("cannot use --tensor-type {}", base::escape_controls(text)),
                           "it is not of the form REGEX=TYPE",
                           "write for example --tensor-type 'ffn_down=Q6_K'");
  }
  return {text.substr(0, equals), mix::find_tensor_type(text.substr(equals + 1))};
}

std::string file_type_names() {
  std::string names;
  for (const mix::FileType& type : mix::file_types()) names += fmt::format(" {}", type.name);
  return names;
}

std::vector<const mix::FileType*> parse_file_types(const std::vector<std::string>& lists) {
  std::vector<const mix::FileType*> found;
  for (const std::string& list : lists) {
    std::istringstream names(list);
    for (std::string name; std::getline(names, name, ',');) {
      const mix::FileType& type = mix::find_file_type(name);
      if (std::ranges::find(found, &type) == found.end()) found.push_back(&type);
    }
  }
  if (found.empty()) {
    throw base::UsageError("no type was given", "-t names what to make and has no default",
                           "add for example -t Q4_K_M; several are separated by commas");
  }
  return found;
}

}  // namespace

void declare(cli::OptionTable& table, Options& options) {
  table.group("What to make");
  table.list("type", 't', "TYPE[,TYPE]...", options.types,
             "file types to make, all from one reading of the model:" + file_type_names());
  table.text("imatrix", 0, "FILE", options.importance_path,
             "importance matrix (llama.cpp's .gguf or .dat) that weighs the errors");
  table.text("calibration", 0, "DIR", options.calibration_dir,
             "calibration directory of this model (lq-calibrate makes one), in place of --imatrix");
  table.flag("no-solve", 0, options.no_solve,
             "let importance alone weigh the errors, also where the calibration has more");
  table.list("tensor-type", 0, "REGEX=TYPE", options.tensor_types,
             "type of the tensors whose GGUF name matches; may be repeated, the first match wins");
  table.text("output-type", 0, "TYPE", options.output_type, "type of output.weight");
  table.text("embedding-type", 0, "TYPE", options.embedding_type, "type of token_embd.weight");
  table.flag("pure", 0, options.pure, "give every matrix the same type instead of the usual mix");
  table.size("split-max-size", 0, "SIZE", options.split_max_bytes,
             "cut the result into part files of at most SIZE, such as 4G");
  table.text("pre", 0, "NAME", options.pre_tokenizer,
             "name of the pre-tokenizer, where it cannot be recognised");
}

Request check(const Options& options, const std::string& output) {
  Request request;
  request.file_types = parse_file_types(options.types);
  for (const std::string& text : options.tensor_types) {
    request.overrides.patterns.push_back(parse_pattern(text));
  }
  if (!options.output_type.empty()) {
    request.overrides.output = mix::find_tensor_type(options.output_type);
  }
  if (!options.embedding_type.empty()) {
    request.overrides.embedding = mix::find_tensor_type(options.embedding_type);
  }
  request.overrides.pure = options.pure;
  if (request.file_types.size() > 1 && !output.empty() &&
      output.find("{type}") == std::string::npos) {
    throw base::UsageError(fmt::format("cannot write {} types to {}", request.file_types.size(),
                                       base::escape_controls(output)),
                           "with several types the name given with -o must hold {type}",
                           "write for example -o 'model-{type}.gguf'");
  }
  if (!options.importance_path.empty() && !options.calibration_dir.empty()) {
    throw base::UsageError("cannot use --imatrix with --calibration",
                           "both say how much each weight matters",
                           "leave out --imatrix or --calibration");
  }
  const bool weighed = !options.importance_path.empty() || !options.calibration_dir.empty();
  for (const mix::FileType* type : request.file_types) {
    if (type->base_needs_importance && !weighed) {
      throw base::UsageError(
          fmt::format("cannot make {}", type->name),
          "at this size an importance matrix is needed and none was given",
          fmt::format(
              "add --calibration DIR (lq-calibrate makes one) or --imatrix FILE, or use -t {}",
              codec::codec(type->base).name));
    }
  }
  return request;
}

}  // namespace lq::quant_gguf
