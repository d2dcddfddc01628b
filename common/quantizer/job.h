#pragma once
// From a model directory, a calibration and a request to a complete plan. A unit is a file or a piece
// that is copied; the linear layers that read the same values (q, k and v of a layer), or all of a
// layer where they are made together; last, the model card.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/calibration/calibration_directory.h"
#include "common/calibration/windows.h"
#include "common/forward/weights.h"
#include "common/model/checkpoint.h"
#include "common/quantized/runtimes.h"
#include "common/quantizer/directory_units.h"
#include "common/quantizer/layer_preparation.h"
#include "common/quantizer/options.h"
#include "common/stage/run_stage.h"

namespace lq::quantizer {

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
  bool prepares = false;  // layers are prepared, and so made whole
  quantized::DirectoryRequest directory;
  std::vector<Group> groups;  // as directory.groups
  std::optional<DirectoryUnits> units;
  std::vector<quantized::Verdict> verdicts;
  stage::Plan plan;

  const quantized::Module& module(std::size_t index) const {
    return directory.facts.modules[index];
  }
  linalg::Compute compute() const;
  /// Whether a unit makes all linears of a layer.
  bool by_layer() const { return prepares || request.sequential; }
  /// "rounded", "one pass" or "sequential".
  std::string method() const;
};

/// Who runs, and how.
struct Run {
  std::string model_dir;
  std::string calibration;  // directory; empty: none
  std::string output;       // as typed; empty: the default
  std::string version, commit;
  std::vector<std::string> argv;
  stage::StageOptions stage;
};

/// The run's calibration directory, made first (and said so) where `named` is empty and one is needed;
/// empty where none is, or in a dry run before there is one. Takes the time off run.stage's limit.
std::string find_calibration(Run& run, const std::string& named, const Request& request,
                             stage::StageObserver& observer);

/// Opens everything, decides everything. What a user should know goes to the observer.
/// `prepares`: see Job.
std::unique_ptr<Job> make_job(const Run& run, const Request& request, bool prepares,
                              stage::StageObserver& observer);

}  // namespace lq::quantizer
