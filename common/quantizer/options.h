#pragma once
// The options that lq-quant-gptq and lq-quant-awq share, and what they mean. Nothing is opened here.

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/option_table.h"
#include "common/hf/module_choice.h"
#include "common/solve/factored_gram.h"
#include "common/stage/run_stage.h"

namespace lq::quantizer {

struct Job;

struct Options {
  std::string group_size;  // empty: chosen by the model's columns
  std::string format;
  bool lm_head = false;
  std::vector<std::string> skip;
  std::string dtype;                  // empty: of the source
  std::uint64_t max_shard_bytes = 0;  // 0: the usual
  std::string calibration_dir;        // empty: made first
  bool sequential = false, data_free = false, strict = false;
  std::string effort = "normal";
  std::string damp, damp_kind = "channel";  // damp empty: the usual of its kind
  std::string ranges = "search";
};

/// Columns that share a scale (one of `group_sizes`), and what is left float.
void declare_modules(cli::OptionTable& table, Options& options,
                     std::vector<std::string> group_sizes);
/// Types and sizes of what is written.
void declare_files(cli::OptionTable& table, Options& options);
/// Where statistics come from, and how codes are chosen under them.
void declare_choice(cli::OptionTable& table, Options& options);

/// The options as the rest uses them. A tool adds what is its own.
struct Request {
  std::string tool;           // "lq-quant-gptq"
  std::string default_label;  // of the default output, MODEL-<label>
  hf::ModuleRequest modules;
  bool desc_act = false;
  std::optional<tensor::DType> float_dtype;
  std::optional<std::uint64_t> max_shard_bytes;
  solve::Damping damping;
  int sweeps = 0;
  bool negative_scales = true, search_ranges = true;
  bool nearest = false;  // plain rounding on searched ranges in place of the solver
  bool sequential = false, data_free = false, strict = false;
  std::string preparation;  // what is done to layers before, a sentence for the model card
  /// What preparing a layer takes beside its statistics; none: nothing is prepared.
  std::function<std::uint64_t(const Job& job, int n_threads)> preparation_bytes;
  nlohmann::ordered_json own_options;  // of the tool, as far as they decide bytes
};

/// What of it the shared options say. Throws UsageError for contradictions.
Request request_of(const Options& options, const std::optional<stage::Shard>& shard);

/// Throws UsageError when both are there.
void refuse_together(bool one, const char* one_name, bool other, const char* other_name,
                     const char* why);

}  // namespace lq::quantizer
