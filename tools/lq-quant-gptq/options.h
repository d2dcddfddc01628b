#pragma once
// The options of lq-quant-gptq and what they mean together. Nothing is opened here.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/option_table.h"
#include "common/quantized/module_choice.h"
#include "common/solve/factored_gram.h"
#include "common/stage/run_stage.h"

namespace lq::quant_gptq {

struct Options {
  std::string bits = "4";
  std::string group_size;  // empty: chosen by the model's columns
  bool symmetric = false, asymmetric = false;  // neither: symmetric
  std::string scale_sign = "signed";
  bool desc_act = false;
  std::string damp = "0.01", damp_kind = "mean";
  std::string format = "gptq";
  bool lm_head = false;
  std::vector<std::string> skip, overrides;
  std::string dtype;  // empty: of the source
  std::string calibration_dir;  // empty: made first
  bool sequential = false, data_free = false, strict = false;
  std::string ranges = "search";
  std::string effort = "normal";
  std::uint64_t max_shard_bytes = 0;  // 0: the usual
};

void declare(cli::OptionTable& table, Options& options);

/// The options as the rest of the tool uses them.
struct Request {
  quantized::ModuleRequest modules;
  solve::Damping damping;
  int sweeps = 0;
  bool negative_scales = true, search_ranges = true;
};

/// Throws UsageError for contradictions, UnsupportedError for what the format has no room for.
Request check(const Options& options, const std::optional<stage::Shard>& shard);

}  // namespace lq::quant_gptq
