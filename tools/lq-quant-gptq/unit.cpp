#include "tools/lq-quant-gptq/unit.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/stage/paths.h"
#include "tools/lq-quant-gptq/card.h"

namespace lq::quant_gptq {
namespace {

using quantize::ModuleReport;
using quantized::Module;

/// Adds the time until its end to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& sum) : sum_(sum), begin_(Clock::now()) {}
  ~Stopwatch() { sum_ += std::chrono::duration<double>(Clock::now() - begin_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double& sum_;
  Clock::time_point begin_;
};

ModuleReport report_of(const Module& module) {
  ModuleReport report;
  report.module = module.name;
  report.bits = module.scheme->bits;
  report.group_size = module.scheme->group_size;
  return report;
}

/// Throws where the format has no number for a scale.
tensor::QuantizedMatrix storable(const Module& module, tensor::QuantizedMatrix matrix,
                                 tensor::DType scale_type) {
  if (std::ranges::all_of(matrix.scales, [](float x) { return std::isfinite(x); })) return matrix;
  const bool half = scale_type == tensor::DType::kF16;
  throw base::UnsupportedError(
      fmt::format("cannot store the scales of {} as {}", base::escape_controls(module.name),
                  tensor::dtype_row(scale_type).name),
      "its weights need one beyond the largest number of that type",
      half ? "leave it float with --skip, or take --format compressed-tensors with --dtype bf16"
           : "leave it float with --skip");
}

double share(std::size_t part, const Module& module) {
  return static_cast<double>(part) / static_cast<double>(module.rows * module.columns);
}

std::filesystem::path scratch_of(const Job& job, const stage::StageOptions& stage) {
  const stage::ResultPlan& result = job.plan.results.front();
  return stage::paths_of(result, stage.checkpoint_dir).part / result.scratch;
}

std::vector<double> diagonal_of(const calibration::SiteStats& stats) {
  std::vector<double> diagonal(stats.width());
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    diagonal[i] = double{stats.gram[i * diagonal.size() + i]};
  }
  return diagonal;
}

}  // namespace

GptqWork::GptqWork(const Job& job, const stage::StageOptions& stage, stage::StageObserver& observer)
    : job_(job),
      n_threads_(stage.n_threads),
      observer_(observer),
      reports_(scratch_of(job, stage), job.plan.results.front().fingerprint()) {
  if (!job.sequential || job.windows.ids.empty()) return;
  quantize::SequentialSettings settings;
  settings.compute = job.compute();
  settings.folder = scratch_of(job, stage);
  settings.tag = job.plan.results.front().fingerprint();
  settings.damping = job.request.damping;
  settings.places_by_importance = job.directory.facts.desc_act;
  settings.n_threads = n_threads_;
  pass_.emplace(job.checkpoint.config, *job.weights, job.windows, std::move(settings));
}

void GptqWork::run(std::size_t unit, stage::UnitSink& sink) {
  job_.units->run(unit, sink,
                  {.group = [this](std::size_t u, std::size_t g) { return make_group(u, g); },
                   .model_card = [this] { return model_card(); }},
                  n_threads_);
}

GptqWork::Matrices GptqWork::make_group(std::size_t unit, std::size_t index) {
  const Group& group = job_.groups[index];
  std::vector<ModuleReport> reports;
  Matrices matrices = job_.data_free                        ? round_group(group, reports)
                      : job_.sequential && group.layer >= 0 ? solve_layer(group, reports)
                                                            : solve_group(group, reports);
  for (const ModuleReport& report : reports) {
    observer_.detail(quantize::describe(report));
    if (report.method == "solved" || job_.data_free) continue;
    const std::string what =
        fmt::format("{} is rounded, not solved", base::escape_controls(report.module));
    if (!job_.strict) {
      observer_.warning(what, report.note);
      continue;
    }
    throw base::ConversionError(what, report.note,
                                "leave out --strict, skip the layer with --skip, or calibrate with "
                                "other texts");
  }
  reports_.keep(unit, reports);
  return matrices;
}

solve::ReadRows GptqWork::original_rows(const Module& module) const {
  return [this, &module](std::size_t first, std::size_t n, float* out) {
    job_.weights->read({module.role, module.layer}, first * module.columns,
                       {out, n * module.columns});
  };
}

solve::Settings GptqWork::settings(const Module& module) const {
  const quantized::Format& format = *job_.directory.format;
  solve::Settings settings;
  settings.bits = module.scheme->bits;
  settings.group_size = module.scheme->group_size;
  settings.symmetric = module.scheme->symmetric;
  settings.negative_scales = job_.request.negative_scales;
  settings.lowest_zero = format.lowest_zero;
  settings.scale_type = format.scale_dtype(job_.directory.float_dtype);
  settings.search_ranges = job_.request.search_ranges;
  settings.sweeps = job_.request.sweeps;
  return settings;
}

GptqWork::Matrices GptqWork::round_group(const Group& group, std::vector<ModuleReport>& reports) {
  Matrices matrices;
  for (const std::size_t m : group.modules) {
    const Module& module = job_.module(m);
    if (!module.scheme) continue;
    matrices.push_back(
        round_module(module, {}, original_rows(module), reports.emplace_back(report_of(module))));
  }
  return matrices;
}

tensor::QuantizedMatrix GptqWork::round_module(const Module& module,
                                               const std::vector<double>& importance,
                                               const solve::ReadRows& read, ModuleReport& report) {
  const Stopwatch phase(seconds_.solve), own(report.seconds);
  solve::Outcome outcome;
  const std::vector<float> weights(importance.begin(), importance.end());
  tensor::QuantizedMatrix matrix = solve::round_to_nearest(
      weights, module.columns, module.rows, read, settings(module), n_threads_, outcome);
  report.method = "rounded";
  report.saturation = share(outcome.saturated_codes, module);
  return storable(module, std::move(matrix), settings(module).scale_type);
}

tensor::QuantizedMatrix GptqWork::solve_module(const Module& module, const solve::FactoredGram& h,
                                               const std::vector<double>& importance,
                                               const solve::ReadRows& read, ModuleReport& report) {
  report.dead_columns = h.n_dead();
  const auto round = [&](const char* why) {
    report.note = why;
    // Statistics that are not finite say nothing of the columns either.
    const bool finite = std::ranges::all_of(importance, [](double x) { return std::isfinite(x); });
    return round_module(module, finite ? importance : std::vector<double>{}, read, report);
  };
  if (!h.is_solvable()) {
    return round("its Gram matrix cannot be factored, whatever is added to the diagonal");
  }
  solve::Outcome outcome;
  tensor::QuantizedMatrix matrix;
  {
    const Stopwatch phase(seconds_.solve), own(report.seconds);
    matrix = solve::solve(h, module.rows, read, settings(module), n_threads_, outcome);
  }
  if (!std::isfinite(outcome.error + outcome.rounded_error + outcome.energy)) {
    return round("its output error is beyond all numbers");
  }
  report.method = "solved";
  report.damping = h.damping();
  report.energy = outcome.energy;
  report.error = outcome.energy > 0 ? outcome.error / outcome.energy : 0;
  report.error_of_rounding = outcome.energy > 0 ? outcome.rounded_error / outcome.energy : 0;
  report.saturation = share(outcome.saturated_codes, module);
  report.rounded_rows = outcome.rounded_rows;
  return storable(module, std::move(matrix), settings(module).scale_type);
}

/// The statistics of a site, which are then given up here.
calibration::SiteStats GptqWork::take_stats(int layer, const calibration::SiteRow& site) {
  const Stopwatch phase(seconds_.statistics);
  if (!layer_stats_ || layer_stats_->first != layer) {
    layer_stats_.reset();
    layer_stats_.emplace(layer,
                         job_.calibration->read(layer, calibration::Want::kGrams, n_threads_));
  }
  return std::move(layer_stats_->second.at(site.site));
}

GptqWork::Matrices GptqWork::solve_group(const Group& group, std::vector<ModuleReport>& reports) {
  const calibration::SiteRow& site = *calibration::site_of(job_.module(group.modules.front()).role);
  std::optional<calibration::SiteStats> stats(take_stats(group.layer, site));
  const std::vector<double> importance = diagonal_of(*stats);
  std::optional<solve::FactoredGram> h;
  {
    const Stopwatch phase(seconds_.factor);
    h.emplace(stats->gram, stats->width(), job_.request.damping, job_.directory.facts.desc_act,
              n_threads_);
    h->forget_factor();
    stats.reset();
  }
  Matrices matrices;
  for (const std::size_t m : group.modules) {
    const Module& module = job_.module(m);
    if (!module.scheme) continue;
    ModuleReport& report = reports.emplace_back(report_of(module));
    if (job_.sequential) report.note = "from the statistics of the original model";
    matrices.push_back(solve_module(module, *h, importance, original_rows(module), report));
  }
  return matrices;
}

GptqWork::Matrices GptqWork::solve_layer(const Group& group, std::vector<ModuleReport>& reports) {
  pass_->begin_layer(group.layer);
  pass_->forget_before(group.layer);
  Matrices matrices;
  for (const calibration::SiteRow& row : calibration::sites()) {
    if (!row.per_layer) continue;
    const quantize::SequentialSite* site = nullptr;
    {
      const Stopwatch phase(seconds_.statistics);
      site = &pass_->open_site(row.site);
    }
    for (const std::size_t m : group.modules) {
      const Module& module = job_.module(m);
      if (!module.scheme || calibration::site_of(module.role)->site != row.site) continue;
      ModuleReport& report = reports.emplace_back(report_of(module));
      report.correction = site->strength.c;
      report.note = site->note;
      matrices.push_back(
          solve_module(module, *site->h, site->importance, pass_->target(module.role), report));
      pass_->put(module.role, matrices.back());
    }
  }
  const Stopwatch phase(seconds_.statistics);
  pass_->end_layer();
  return matrices;
}

std::vector<ModuleReport> GptqWork::all_reports() const {
  std::vector<ModuleReport> all;
  for (std::size_t group = 0; group < job_.groups.size(); ++group) {
    if (!job_.units->has_unit(group)) continue;
    const std::vector<ModuleReport> some = reports_.take(job_.units->unit_of_group(group));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::string GptqWork::model_card() const {
  const std::vector<ModuleReport> reports = all_reports();
  const quantize::ReportSummary summary = quantize::summary_of(reports);
  if (summary.n_solved > 0) {
    observer_.message(fmt::format(
        "output error of {} linear layers: {:.3g} of the output, {:.2f} times that of rounding",
        summary.n_solved, summary.error, summary.ratio()));
  }
  return card_text(job_, reports);
}

nlohmann::ordered_json GptqWork::result_numbers(std::size_t) {
  const std::vector<ModuleReport> reports = all_reports();
  const quantize::ReportSummary summary = quantize::summary_of(reports);
  nlohmann::ordered_json modules = nlohmann::json::array();
  for (const ModuleReport& report : reports) modules.push_back(to_json(report));
  return {{"output_error", summary.error},
          {"output_error_of_rounding", summary.error_of_rounding},
          {"solved_modules", summary.n_solved},
          {"rounded_modules", summary.n_rounded},
          {"modules", std::move(modules)},
          {"seconds_per_phase",
           {{"statistics", seconds_.statistics},
            {"factor", seconds_.factor},
            {"solve", seconds_.solve},
            {"encode", seconds_.encode}}}};
}

}  // namespace lq::quant_gptq
