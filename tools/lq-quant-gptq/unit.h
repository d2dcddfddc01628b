#pragma once
// The work of one unit.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/calibration/layer_stats.h"
#include "common/quantize/module_report.h"
#include "common/quantize/sequential.h"
#include "common/stage/run_stage.h"
#include "tools/lq-quant-gptq/plan.h"

namespace lq::quant_gptq {

/// Seconds that a run has spent so far.
struct PhaseSeconds {
  double statistics = 0;  // read from the calibration, or made
  double factor = 0;      // of Gram matrices
  double solve = 0;
  double encode = 0;  // into the format
};

class GptqWork : public stage::UnitWork {
 public:
  /// All are referred to.
  GptqWork(const Job& job, const stage::StageOptions& stage, stage::StageObserver& observer);

  void run(std::size_t unit, stage::UnitSink& sink) override;
  nlohmann::ordered_json result_numbers(std::size_t result) override;
  std::uint64_t bytes_read() const override { return job_.checkpoint.weights->bytes_read(); }

 private:
  using Matrices = std::vector<tensor::QuantizedMatrix>;

  Matrices make_group(std::size_t unit, std::size_t group);
  Matrices round_group(const Group& group, std::vector<quantize::ModuleReport>& reports);
  Matrices solve_group(const Group& group, std::vector<quantize::ModuleReport>& reports);
  Matrices solve_layer(const Group& group, std::vector<quantize::ModuleReport>& reports);
  /// Under H, or by rounding where it cannot be factored; `importance` is H's diagonal.
  tensor::QuantizedMatrix solve_module(const quantized::Module& module,
                                       const solve::FactoredGram& h,
                                       const std::vector<double>& importance,
                                       const solve::ReadRows& read,
                                       quantize::ModuleReport& report);
  tensor::QuantizedMatrix round_module(const quantized::Module& module,
                                       const std::vector<double>& importance,
                                       const solve::ReadRows& read,
                                       quantize::ModuleReport& report);
  solve::ReadRows original_rows(const quantized::Module& module) const;
  solve::Settings settings(const quantized::Module& module) const;
  calibration::SiteStats take_stats(int layer, const calibration::SiteRow& site);
  std::vector<quantize::ModuleReport> all_reports() const;
  std::string model_card() const;

  const Job& job_;
  const int n_threads_;
  stage::StageObserver& observer_;
  const quantize::ReportFolder reports_;
  std::optional<std::pair<int, calibration::LayerStats>> layer_stats_;  // of one layer
  std::optional<quantize::SequentialPass> pass_;
  PhaseSeconds seconds_;
};

}  // namespace lq::quant_gptq
