#pragma once
// The units of a run that makes a quantized model directory: its layout brought to the frame. What a
// tool adds is how a group of linears is quantized, and what the model card says.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "common/hf/directory_layout.h"
#include "common/stage/run_stage.h"

namespace lq::quantizer {

class DirectoryUnits {
 public:
  /// `request` is referred to, and so is the checkpoint.
  explicit DirectoryUnits(const hf::DirectoryRequest& request);

  const hf::DirectoryLayout& layout() const { return layout_; }

  /// Adds the files to the plan's one result and units to the plan: first what is copied or known,
  /// then the groups in order, `group_names` and `group_costs` (relative to bytes that are copied)
  /// theirs, the model card last.
  void add_to(stage::Plan& plan, const std::vector<std::string>& group_names,
              const std::vector<double>& group_costs);

  /// The unit that makes a group; REQUIRES: add_to(), the group has quantized modules.
  std::size_t unit_of_group(std::size_t group) const { return unit_of_group_[group]; }
  bool has_unit(std::size_t group) const;

  /// What a tool supplies.
  struct Makers {
    std::function<hf::GroupContents(std::size_t unit, std::size_t group)> group;
    std::function<std::string()> model_card;
  };
  /// Makes one unit.
  void run(std::size_t unit, stage::UnitSink& sink, const Makers& makers, int n_threads) const;

 private:
  struct Task {
    enum class Kind { kHeader, kText, kFile, kPiece, kGroup, kModelCard } kind;
    std::size_t index = 0;  // in the layout's list of that kind
  };

  void add(stage::Plan& plan, Task task, std::string name, const stage::Extent& place, double cost);

  const hf::DirectoryRequest& request_;
  const hf::DirectoryLayout layout_;
  std::vector<Task> tasks_;  // of units, in order
  std::vector<std::size_t> unit_of_group_;
};

}  // namespace lq::quantizer
