#pragma once
// The options of lq-quant-gptq and what they mean together. Nothing is opened here.

#include <optional>
#include <string>
#include <vector>

#include "common/cli/option_table.h"
#include "common/quantizer/options.h"

namespace lq::quant_gptq {

struct Options : quantizer::Options {
  Options() { format = "gptq"; }

  std::string bits = "4";
  bool symmetric = false, asymmetric = false;  // neither: symmetric
  std::string scale_sign = "signed";
  bool desc_act = false;
  std::vector<std::string> overrides;
};

void declare(cli::OptionTable& table, Options& options);

/// Throws UsageError for contradictions.
quantizer::Request check(const Options& options, const std::optional<stage::Shard>& shard);

}  // namespace lq::quant_gptq
