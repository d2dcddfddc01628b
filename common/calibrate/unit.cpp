#include "common/calibrate/unit.h"

#include <chrono>
#include <fmt/format.h>
#include <span>
#include <utility>
#include <vector>

#include "common/calibration/imported_stats.h"
#include "common/calibration/lane_file.h"
#include "common/io/file_status.h"

namespace lq::calibrate {

CalibrateWork::CalibrateWork(const Job& job, stage::StageObserver& observer)
    : job_(job), observer_(observer) {
  if (job.importance) return;
  calibration::CalibratorSettings settings = job.settings;
  settings.passed = [&observer](std::size_t n_tokens) { observer.advanced(n_tokens); };
  calibrator_.emplace(job.checkpoint.config, *job.weights, job.lanes, std::move(settings));
}

void CalibrateWork::run(std::size_t unit, stage::UnitSink& sink) {
  const UnitTask& task = job_.tasks[unit];
  const int n_threads = job_.settings.n_threads;
  const auto hidden = static_cast<std::size_t>(job_.checkpoint.config.hidden);
  switch (task.kind) {
    case UnitTask::Kind::kText:
      sink.write(0, std::as_bytes(std::span(task.text)));
      return;
    case UnitTask::Kind::kStep: {
      tell_of_shards();
      const calibration::LayerStats stats =
          calibrator_ ? calibrator_->step(task.step)
                      : calibration::imported_stats(*job_.importance, job_.checkpoint, task.step);
      const auto begin = std::chrono::steady_clock::now();
      const std::vector<std::byte> bytes =
          calibration::encode_layer(stats, hidden, job_.description.id, n_threads);
      encoding_seconds_ +=
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      sink.write(0, bytes);
      return;
    }
    case UnitTask::Kind::kLaneStep: {
      const calibration::LayerStats stats = calibrator_->lane_step(task.lane, task.step);
      sink.write(0, calibration::encode_lane(stats, calibrator_->lane_tag(task.lane, task.step)));
      return;
    }
  }
}

/// Before the first step of a run that may find what shards have done.
void CalibrateWork::tell_of_shards() {
  if (std::exchange(told_, true) || !calibrator_) return;
  std::size_t n = 0, there = 0;
  for (std::size_t lane = 0; lane < job_.lanes.size(); ++lane) {
    if (job_.lanes[lane].batches.empty()) continue;
    for (std::size_t step = 0; step <= static_cast<std::size_t>(job_.checkpoint.config.n_layers);
         ++step, ++n) {
      if (io::file_status(calibrator_->lane_path(lane, step))) ++there;
    }
  }
  if (there > 0) {
    observer_.message(fmt::format("shards have done {} of {} steps of lanes", there, n));
  }
}

nlohmann::ordered_json CalibrateWork::result_numbers(std::size_t) {
  if (!calibrator_) return nullptr;
  const calibration::PhaseSeconds& seconds = calibrator_->seconds();
  return {{"seconds_per_phase",
           {{"weights", seconds.weights},
            {"states", seconds.states},
            {"forward", seconds.forward},
            {"statistics", seconds.statistics},
            {"encoding", encoding_seconds_}}}};
}

}  // namespace lq::calibrate
