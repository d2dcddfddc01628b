#pragma once
// lq-fetch, as the command line sees it.

#include "common/cli/tool.h"
#include "tools/lq-fetch/options.h"

namespace lq::fetch {

class Fetch : public cli::Tool {
 public:
  const cli::ToolSpec& spec() const override;
  void declare(cli::OptionTable& table) override;
  std::vector<cli::Assignment> defaults(const cli::OptionTable& table,
                                        const base::Environment& environment) const override;
  void validate(const std::vector<std::string>& operands,
                const cli::CommonOptions& common) override;
  cli::ToolResult run(const std::vector<std::string>& operands, const cli::CommonOptions& common,
                      stage::StageObserver& observer) override;

 private:
  Options options_;
};

}  // namespace lq::fetch
