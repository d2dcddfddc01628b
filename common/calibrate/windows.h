#pragma once
// What the model will read: the windows of token ids that the options name.

#include <cstdint>
#include <string>

#include "common/calibrate/options.h"
#include "common/calibration/windows.h"
#include "common/model/checkpoint.h"
#include "common/stage/run_stage.h"

namespace lq::calibrate {

struct WindowsRead {
  calibration::TokenWindows windows;
  std::string name;          // of the data, for people and importance matrices
  std::int64_t seq_len = 0;  // of the longest window
  stage::Input input;
};

/// Reads texts or ids and cuts them. Warns of too little data for the model's widths and of windows
/// beyond its context; tells how many windows the texts gave, and when those of the program are used.
/// Throws OutOfMemoryError for texts that cannot be cut into tokens in the memory of `stage`.
WindowsRead read_windows(const model::Checkpoint& checkpoint, const Options& options,
                         const stage::StageOptions& stage, stage::StageObserver& observer);

}  // namespace lq::calibrate
