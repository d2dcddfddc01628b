#pragma once
// From a model directory and options to a complete plan: the windows that the model will read, the
// files of the calibration directory, and a unit for each step. A shard's units are steps of single
// lanes, whose sums are files of the run; the plain run's are whole steps.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/calibrate/options.h"
#include "common/calibration/calibration_directory.h"
#include "common/calibration/calibrator.h"
#include "common/calibration/importance_matrix.h"
#include "common/calibration/lanes.h"
#include "common/forward/weights.h"
#include "common/model/checkpoint.h"
#include "common/stage/run_stage.h"

namespace lq::calibrate {

/// What one unit does.
struct UnitTask {
  enum class Kind { kText, kStep, kLaneStep } kind = Kind::kText;
  std::string text = {};  // of kText: the bytes of a file that is known beforehand
  std::size_t step = 0, lane = 0;
};

struct Job {
  model::Checkpoint checkpoint;
  std::optional<forward::CheckpointWeights> weights;
  std::vector<calibration::Lane> lanes;
  std::optional<calibration::ImportanceMatrix> importance;  // in place of lanes
  calibration::Description description;
  calibration::CalibratorSettings settings;
  double multiply_adds = 0;     // of all units
  std::vector<UnitTask> tasks;  // per unit
  stage::Plan plan;
};

/// Opens the model, reads and cuts the texts, decides everything. What a user should know goes to
/// the observer.
std::unique_ptr<Job> make_job(const std::string& model_dir, const Options& options,
                              const std::string& output, const stage::StageOptions& stage,
                              stage::StageObserver& observer);

}  // namespace lq::calibrate
