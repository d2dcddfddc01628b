#pragma once
// lq-inspect as a Tool: open what the operand names, print one report.

#include "common/cli/tool.h"
#include "tools/lq-inspect/options.h"

namespace lq::inspect {

class Inspect : public cli::Tool {
 public:
  const cli::ToolSpec& spec() const override;
  void declare(cli::OptionTable& table) override;
  void validate(const std::vector<std::string>& operands,
                const cli::CommonOptions& common) override;
  cli::ToolResult run(const std::vector<std::string>& operands, const cli::CommonOptions& common,
                      stage::StageObserver& observer) override;

 private:
  Options options_;
};

}  // namespace lq::inspect
