#pragma once
// A small tool for the tests of what all tools share.

#include <functional>
#include <string>
#include <vector>

#include "common/cli/tool.h"

namespace lq::cli {

class ToyTool : public Tool {
 public:
  explicit ToyTool(bool makes_output = true) {
    spec_ = {
        .name = "lq-toy",
        .operands = "MODEL",
        .summary = "Make a toy of a model, so that the manners of every tool can be looked at.",
        .makes_output = makes_output,
        .examples = {"lq-toy my-model", "lq-toy my-model --colour blue"},
        .exit_codes = {base::ExitCode::kUsage, base::ExitCode::kDone, base::ExitCode::kTerminated}};
  }
  const ToolSpec& spec() const override { return spec_; }
  void declare(OptionTable& table) override {
    table.group("What to make");
    table.text("colour", 'c', "COLOUR", colour, "colour of the toy", {"red", "green", "blue"});
    table.list("part", 0, "NAME=VALUE", parts, "a part of the toy; may be repeated");
  }
  void validate(const std::vector<std::string>& operands, const CommonOptions&) override {
    validated.push_back(operands);
  }
  ToolResult run(const std::vector<std::string>& operands, const CommonOptions& common,
                 stage::StageObserver& observer) override {
    ran_with = operands;
    seen = common;
    return work(observer);
  }

  ToolSpec spec_;
  std::string colour = "red";
  std::vector<std::string> parts;
  std::vector<std::vector<std::string>> validated;
  std::vector<std::string> ran_with;
  CommonOptions seen;
  std::function<ToolResult(stage::StageObserver&)> work = [](stage::StageObserver&) {
    ToolResult result;
    result.lines = {"/made/toy"};
    result.lines_are_paths = true;
    result.json = {{"path", "/made/toy"}};
    result.status = "made";
    return result;
  };
};

/// A plan of one result with a unit per entry of `sizes`, named after layers.
inline stage::Plan toy_plan(const std::vector<std::uint64_t>& sizes) {
  stage::Plan plan;
  plan.tool = "lq-toy";
  stage::ResultPlan result;
  result.path = "/made/toy";
  result.files = {{"/made/toy", 0}};
  for (const std::uint64_t size : sizes) {
    stage::Unit unit;
    unit.name = "blk." + std::to_string(plan.units.size()) + ".ffn_up.weight";
    unit.cost = static_cast<double>(size);
    unit.extents = {{0, 0, result.files[0].size, size}};
    result.files[0].size += size;
    plan.units.push_back(unit);
  }
  plan.results.push_back(result);
  return plan;
}

}  // namespace lq::cli
