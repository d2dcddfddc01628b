#pragma once
// The work of the units of a job.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/calibration/layer_stats.h"
#include "common/quantizer/module_solver.h"
#include "common/sequential/sequential.h"
#include "common/stage/run_stage.h"

namespace lq::quantizer {

class QuantizeWork : public stage::UnitWork {
 public:
  /// All are referred to. `preparation`: nullptr where layers are quantized as they are, which the
  /// job must say too.
  QuantizeWork(const Job& job, const stage::StageOptions& stage, LayerPreparation* preparation,
               stage::StageObserver& observer);

  void run(std::size_t unit, stage::UnitSink& sink) override;
  nlohmann::ordered_json result_numbers(std::size_t result) override;
  std::uint64_t bytes_read() const override { return job_.checkpoint.weights->bytes_read(); }

 private:
  /// Takes what is made of a group.
  struct Made {
    std::vector<tensor::QuantizedMatrix> matrices;
    std::vector<ModuleReport> reports;
  };

  hf::GroupContents make_group(std::size_t unit, std::size_t index);
  void round_group(const Group& group, Made& made);
  void solve_head(const Group& group, Made& made);
  void solve_site(const Group& group, Made& made);
  void solve_prepared_layer(const Group& group, Made& made);
  void solve_sequential_layer(const Group& group, Made& made);
  /// The group's modules that read `site`, under its statistics, which are given up.
  void solve_readers(const Group& group, const calibration::SiteRow& site,
                     calibration::SiteStats stats, const std::string& note, Made& made);
  void tell(const std::vector<ModuleReport>& reports) const;
  const forward::WeightSource& weights() const;
  solve::ReadRows rows_of(const hf::Module& module) const;
  std::vector<std::vector<float>> floats_of(const hf::GroupSection& section) const;
  calibration::LayerStats read_stats(int layer);
  std::vector<ModuleReport> all_reports() const;
  std::string model_card() const;

  const Job& job_;
  const int n_threads_;
  LayerPreparation* const preparation_;
  stage::StageObserver& observer_;
  const ReportFolder reports_;
  ModuleSolver solver_;
  std::optional<std::pair<int, calibration::LayerStats>> layer_stats_;  // of the newest layer
  std::optional<sequential::SequentialPass> pass_;
  /// Seconds that a run has spent so far: statistics read or made, layers prepared, Gram matrices
  /// factored.
  double statistics_seconds_ = 0, preparation_seconds_ = 0, factor_seconds_ = 0;
};

}  // namespace lq::quantizer
