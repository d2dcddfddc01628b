#pragma once
// From a model directory, a calibration and options to a complete plan. A unit is a file or a piece
// that is copied; the linear layers that read the same values (q, k and v of a layer); of a
// sequential run, a whole layer; last, the model card.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/calibration/calibration_directory.h"
#include "common/calibration/windows.h"
#include "common/forward/weights.h"
#include "common/model/checkpoint.h"
#include "common/quantize/directory_units.h"
#include "common/quantized/runtimes.h"
#include "common/stage/run_stage.h"
#include "tools/lq-quant-gptq/options.h"

namespace lq::quant_gptq {

/// What one unit quantizes.
struct Group {
  int layer = -1;  // -1: the output head
  std::string name;
  std::vector<std::size_t> modules;  // positions in facts.modules, site after site
};

struct Job {
  model::Checkpoint checkpoint;
  std::optional<forward::CheckpointWeights> weights;
  std::optional<calibration::CalibrationDirectory> calibration;  // none: data-free, or a dry run
                                                                 // before it is made
  calibration::TokenWindows windows;                             // of a sequential run
  Request request;
  bool sequential = false, data_free = false, strict = false;
  quantized::DirectoryRequest directory;
  std::vector<Group> groups;  // as directory.groups
  std::optional<quantize::DirectoryUnits> units;
  std::vector<quantized::Verdict> verdicts;
  stage::Plan plan;

  const quantized::Module& module(std::size_t index) const {
    return directory.facts.modules[index];
  }
  linalg::Compute compute() const;
};

/// Opens everything, decides everything. `calibration` is empty for a run without one. What a user
/// should know goes to the observer.
std::unique_ptr<Job> make_job(const std::string& model_dir, const std::string& calibration,
                              const Options& options, const Request& request,
                              const std::string& version, const std::string& output,
                              const stage::StageOptions& stage, stage::StageObserver& observer);

}  // namespace lq::quant_gptq
