#pragma once
// The work of one unit: a step through all lanes or one, or a file that is known beforehand.

#include <cstddef>
#include <optional>

#include "common/calibrate/plan.h"
#include "common/stage/run_stage.h"

namespace lq::calibrate {

class CalibrateWork : public stage::UnitWork {
 public:
  /// Both are referred to.
  CalibrateWork(const Job& job, stage::StageObserver& observer);

  void run(std::size_t unit, stage::UnitSink& sink) override;
  nlohmann::ordered_json result_numbers(std::size_t result) override;
  std::uint64_t bytes_read() const override { return job_.checkpoint.weights->bytes_read(); }

 private:
  void tell_of_shards();

  const Job& job_;
  stage::StageObserver& observer_;
  bool told_ = false;
  double encoding_seconds_ = 0;
  std::optional<calibration::Calibrator> calibrator_;  // none where statistics are imported
};

}  // namespace lq::calibrate
