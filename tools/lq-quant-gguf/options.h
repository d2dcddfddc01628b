#pragma once
// The options of lq-quant-gguf and what they mean together. Nothing is opened here.

#include <cstdint>
#include <string>
#include <vector>

#include "common/cli/option_table.h"
#include "common/mix/type_mix.h"

namespace lq::quant_gguf {

struct Options {
  std::vector<std::string> types;           // each may hold several, separated by commas
  std::vector<std::string> tensor_types;    // REGEX=TYPE
  std::string output_type, embedding_type;  // empty = as the mix says
  bool pure = false;
  std::uint64_t split_max_bytes = 0;  // 0 = one file
  std::string importance_path;        // empty = none
  std::string calibration_dir;        // the same from a calibration directory
  bool no_solve = false;              // importance alone weighs the errors
  std::string pre_tokenizer;          // empty = recognise it
};

void declare(cli::OptionTable& table, Options& options);

/// The options as the rest of the tool uses them.
struct Request {
  std::vector<const mix::FileType*> file_types;  // in the order asked for, no duplicates
  mix::MixOverrides overrides;
};

/// Throws UsageError for contradictions and for names that do not exist. `output` is the value of
/// --output.
Request check(const Options& options, const std::string& output);

}  // namespace lq::quant_gguf
