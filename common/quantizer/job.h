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
#include "common/hf/runtimes.h"
#include "common/model/checkpoint.h"
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
  hf::DirectoryRequest directory;
  std::vector<Group> groups;  // as directory.groups
  std::optional<DirectoryUnits> units;
  std::vector<hf::Verdict> verdicts;
  stage::Plan plan;

  const hf::Module& module(std::size_t index) const { return directory.facts.modules[index]; }
  linalg::Compute compute() const;
  /// Whether a unit makes all linears of a layer.
  bool by_layer() const { return prepares || request.sequential; }
  /// "rounded", "one pass" or "sequential".
  std::string method() const;
};

/// Who runs, and how.
struct Run {
  std::string model_dir;
  std::string calibration;  // directory; empty: none was named
  std::string output;       // as typed; empty: the default
  std::string version, commit;
  std::vector<std::string> argv;
  stage::StageOptions stage;
};

/// Opens everything, decides everything. Where a calibration is needed and none named, calibrates
/// once all else is known to be right, and says so; takes the time that this took off the limit of
/// run.stage. What a user should know goes to the observer. `prepares`: see Job. Throws what reading
/// models and calibrations throws, UsageError and UnsupportedError as choose_modules(), and as
/// calibrate::calibrate().
std::unique_ptr<Job> make_job(Run& run, const Request& request, bool prepares,
                              stage::StageObserver& observer);

}  // namespace lq::quantizer
