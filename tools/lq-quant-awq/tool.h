#pragma once
// lq-quant-awq as a Tool: options, and what it does to layers before they are quantized.

#include "common/cli/tool.h"
#include "tools/lq-quant-awq/options.h"

namespace lq::quant_awq {

class QuantAwq : public cli::Tool {
 public:
  const cli::ToolSpec& spec() const override;
  void declare(cli::OptionTable& table) override;
  void validate(const std::vector<std::string>& operands,
                const cli::CommonOptions& common) override;
  cli::ToolResult run(const std::vector<std::string>& operands, const cli::CommonOptions& common,
                      stage::StageObserver& observer) override;

 private:
  Options options_;
  quantizer::Request request_;
};

}  // namespace lq::quant_awq
