#pragma once
// What all seven tools share: main() of each is a Tool and `return run_tool(argc, argv, tool)`.
//
//   class Make : public cli::Tool {
//     const cli::ToolSpec& spec() const override;  // name, operands, examples, exit codes
//     void declare(cli::OptionTable& table) override { table.flag("pure", 0, pure_, "..."); }
//     void validate(const std::vector<std::string>& operands,
//                   const cli::CommonOptions& common) override;
//     cli::ToolResult run(const std::vector<std::string>& operands,
//                         const cli::CommonOptions& common,
//                         stage::StageObserver& observer) override {
//       const stage::Plan plan = make_plan(operands[0], common);
//       return cli::result_of(plan, stage::run_stage(plan, common.stage, work, observer));
//     }
//   };

#include <memory>
#include <string>
#include <vector>

#include "common/base/errors.h"
#include "common/cli/common_options.h"
#include "common/cli/option_table.h"
#include "common/cli/result.h"
#include "common/cli/tool_spec.h"
#include "common/stage/run_stage.h"

namespace lq::cli {

class Tool {
 public:
  virtual ~Tool() = default;
  virtual const ToolSpec& spec() const = 0;
  virtual void declare(OptionTable& table) = 0;
  /// Values that variables of other programs give to options; weaker than a recipe.
  virtual std::vector<Assignment> defaults(const OptionTable&, const base::Environment&) const {
    return {};
  }
  /// Cross-field checks after parsing; opens nothing. An operand may be "-" still, so that a wrong
  /// option is reported before anybody waits for standard input; once that is read, validate() is
  /// called again with the paths. Throws UsageError.
  virtual void validate(const std::vector<std::string>& operands, const CommonOptions& common) = 0;
  /// `operands` are paths: "-" has been replaced by what standard input named.
  virtual ToolResult run(const std::vector<std::string>& operands, const CommonOptions& common,
                         stage::StageObserver& observer) = 0;
};

/// The whole of main(): parses, sets up logging, progress and signals, runs, prints, maps errors to
/// exit codes.
int run_tool(int argc, char** argv, Tool& tool);

}  // namespace lq::cli
