#include "common/quantizer/run_quantizer.h"

#include <optional>

#include "common/quantizer/estimate.h"
#include "common/quantizer/work.h"

namespace lq::quantizer {

cli::ToolResult run_quantizer(Run run, const Request& request, stage::StageObserver& observer,
                              const MakePreparation& make_preparation) {
  const std::unique_ptr<Job> job =
      make_job(run, request, make_preparation != nullptr && !request.data_free, observer);
  std::unique_ptr<LayerPreparation> preparation;
  if (job->prepares && job->calibration) preparation = make_preparation(*job);
  QuantizeWork work(*job, run.stage, preparation.get(), observer);
  const stage::StageReport report = stage::run_stage(job->plan, run.stage, work, observer);
  std::optional<double> seconds;
  if (run.stage.dry_run) seconds = estimated_seconds(*job, run.stage.n_threads);
  return cli::result_of(job->plan, report, seconds);
}

}  // namespace lq::quantizer
