#pragma once
// The options of lq-quant-awq and what they mean together. Nothing is opened here.

#include <cstdint>
#include <optional>
#include <string>

#include "common/cli/option_table.h"
#include "common/quantizer/options.h"

namespace lq::quant_awq {

struct Options : quantizer::Options {
  Options() { format = "awq"; }

  std::int64_t bits = 4;
  bool symmetric = false;
  std::string scale = "auto";
  std::int64_t grid_points = 11;  // for each exponent
  std::string rounding = "gptq";
  bool no_clip = false;
};

void declare(cli::OptionTable& table, Options& options);

/// Throws UsageError for contradictions, UnsupportedError for bits other than 4.
quantizer::Request check(const Options& options, const std::optional<stage::Shard>& shard);

}  // namespace lq::quant_awq
