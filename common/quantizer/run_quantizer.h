#pragma once
// The run of a tool that quantizes a model directory, from calibration to what is printed.

#include <functional>
#include <memory>

#include "common/cli/result.h"
#include "common/quantizer/job.h"
#include "common/quantizer/layer_preparation.h"

namespace lq::quantizer {

/// Makes what prepares the layers of a job, if anything does.
using MakePreparation = std::function<std::unique_ptr<LayerPreparation>(const Job& job)>;

/// Throws as make_job() and stage::run_stage().
cli::ToolResult run_quantizer(Run run, const Request& request, stage::StageObserver& observer,
                              const MakePreparation& make_preparation = {});

}  // namespace lq::quantizer
