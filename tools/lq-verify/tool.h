#pragma once
// lq-verify as a Tool: all checks, the reports, and the paths of results that passed.

#include "common/cli/tool.h"
#include "tools/lq-verify/options.h"

namespace lq::verify {

class Verify : public cli::Tool {
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

}  // namespace lq::verify
