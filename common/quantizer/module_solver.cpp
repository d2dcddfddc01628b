#include "common/quantizer/module_solver.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/quantizer/stopwatch.h"

namespace lq::quantizer {
namespace {

using hf::Module;

double share(std::size_t part, const Module& module) {
  return static_cast<double>(part) / static_cast<double>(module.rows * module.columns);
}

/// Throws where the format has no number for a scale.
tensor::QuantizedMatrix storable(const Module& module, tensor::DType scale_type,
                                 tensor::QuantizedMatrix matrix) {
  if (std::ranges::all_of(matrix.scales, [](float x) { return std::isfinite(x); })) return matrix;
  throw base::UnsupportedError(
      fmt::format("cannot store the scales of {} as {}", base::escape_controls(module.name),
                  tensor::dtype_row(scale_type).name),
      "its weights need one beyond the largest number of that type",
      scale_type == tensor::DType::kF16
          ? "leave it float with --skip, or take --format compressed-tensors with --dtype bf16"
          : "leave it float with --skip");
}

/// Rows under H by the job's way of rounding.
tensor::QuantizedMatrix quantize(const Job& job, const solve::FactoredGram& h, std::size_t rows,
                                 const solve::ReadRows& read, const solve::Settings& settings,
                                 int n_threads, solve::Outcome& outcome) {
  if (!job.request.nearest) {
    return solve::solve(h, rows, read, settings, n_threads, outcome);
  }
  // Passes over the groups; without a search of ranges they stay those of the values.
  const int n_passes = settings.search_ranges ? kClippingPasses : 0;
  return solve::round_clipped(h, rows, read, settings, n_passes, n_threads, outcome);
}

}  // namespace

ModuleReport report_of(const Module& module) {
  ModuleReport report;
  report.module = module.name;
  report.bits = module.scheme->bits;
  report.group_size = module.scheme->group_size;
  return report;
}

solve::Settings solve_settings(const Job& job, const hf::Scheme& scheme) {
  const hf::Format& format = *job.directory.format;
  solve::Settings settings;
  settings.bits = scheme.bits;
  settings.group_size = scheme.group_size;
  settings.symmetric = scheme.symmetric;
  settings.negative_scales = job.request.negative_scales;
  settings.lowest_zero = format.lowest_zero;
  settings.scale_type = format.scale_dtype(job.directory.float_dtype);
  settings.search_ranges = job.request.search_ranges;
  settings.sweeps = job.request.sweeps;
  return settings;
}

tensor::QuantizedMatrix ModuleSolver::round(const Module& module,
                                            std::span<const double> importance,
                                            const solve::ReadRows& read, ModuleReport& report) {
  const Stopwatch phase(seconds_), own(report.seconds);
  const solve::Settings settings = solve_settings(job_, *module.scheme);
  solve::Outcome outcome;
  const std::vector<float> weights(importance.begin(), importance.end());
  tensor::QuantizedMatrix matrix = solve::round_to_nearest(weights, module.columns, module.rows,
                                                           read, settings, n_threads_, outcome);
  report.method = "rounded";
  report.saturation = share(outcome.saturated_codes, module);
  return storable(module, settings.scale_type, std::move(matrix));
}

tensor::QuantizedMatrix ModuleSolver::solve(const Module& module, const solve::FactoredGram& h,
                                            std::span<const double> importance,
                                            const solve::ReadRows& read, ModuleReport& report) {
  report.dead_columns = h.n_dead();
  const auto round_instead = [&](const char* why) {
    report.note = why;
    // Statistics that are not finite say nothing of the columns either.
    const bool finite = std::ranges::all_of(importance, [](double x) { return std::isfinite(x); });
    return round(module, finite ? importance : std::span<const double>(), read, report);
  };
  if (!h.is_solvable()) {
    return round_instead("its Gram matrix cannot be factored, whatever is added to the diagonal");
  }
  const solve::Settings settings = solve_settings(job_, *module.scheme);
  solve::Outcome outcome;
  tensor::QuantizedMatrix matrix;
  {
    const Stopwatch phase(seconds_), own(report.seconds);
    matrix = quantize(job_, h, module.rows, read, settings, n_threads_, outcome);
  }
  if (!std::isfinite(outcome.error + outcome.rounded_error + outcome.energy)) {
    return round_instead("its output error is beyond all numbers");
  }
  report.method = "solved";
  report.damping = h.damping();
  report.energy = outcome.energy;
  report.error = outcome.energy > 0 ? outcome.error / outcome.energy : 0;
  report.error_of_rounding = outcome.energy > 0 ? outcome.rounded_error / outcome.energy : 0;
  report.saturation = share(outcome.saturated_codes, module);
  report.rounded_rows = outcome.rounded_rows;
  return storable(module, settings.scale_type, std::move(matrix));
}

}  // namespace lq::quantizer
