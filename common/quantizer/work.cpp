#include "common/quantizer/work.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/model/tensor_map.h"
#include "common/quantizer/card.h"
#include "common/quantizer/stopwatch.h"
#include "common/stage/paths.h"

namespace lq::quantizer {
namespace {

using hf::Module;

std::filesystem::path scratch_of(const Job& job, const stage::StageOptions& stage) {
  const stage::ResultPlan& result = job.plan.results.front();
  return stage::paths_of(result, stage.checkpoint_dir).part / result.scratch;
}

}  // namespace

QuantizeWork::QuantizeWork(const Job& job, const stage::StageOptions& stage,
                           LayerPreparation* preparation, stage::StageObserver& observer)
    : job_(job),
      n_threads_(stage.n_threads),
      preparation_(preparation),
      observer_(observer),
      reports_(scratch_of(job, stage), job.plan.results.front().fingerprint()),
      solver_(job, n_threads_) {
  if (!job.request.sequential || job.windows.ids.empty()) return;
  sequential::SequentialSettings settings;
  settings.compute = job.compute();
  settings.folder = scratch_of(job, stage);
  settings.tag = job.plan.results.front().fingerprint();
  settings.damping = job.request.damping;
  settings.places_by_importance = job.directory.facts.desc_act;
  settings.n_threads = n_threads_;
  pass_.emplace(job.checkpoint.config, weights(), job.windows, std::move(settings));
}

const forward::WeightSource& QuantizeWork::weights() const {
  return preparation_ != nullptr ? preparation_->weights() : *job_.weights;
}

void QuantizeWork::run(std::size_t unit, stage::UnitSink& sink) {
  job_.units->run(unit, sink,
                  {.group = [this](std::size_t u, std::size_t g) { return make_group(u, g); },
                   .model_card = [this] { return model_card(); }},
                  n_threads_);
}

hf::GroupContents QuantizeWork::make_group(std::size_t unit, std::size_t index) {
  const Group& group = job_.groups[index];
  Made made;
  if (job_.request.data_free) {
    round_group(group, made);
  } else if (group.layer < 0) {
    solve_head(group, made);
  } else if (job_.request.sequential) {
    solve_sequential_layer(group, made);
  } else if (preparation_ != nullptr) {
    solve_prepared_layer(group, made);
  } else {
    solve_site(group, made);
  }
  tell(made.reports);
  reports_.keep(unit, made.reports);
  return {std::move(made.matrices), floats_of(job_.units->layout().groups[index])};
}

void QuantizeWork::tell(const std::vector<ModuleReport>& reports) const {
  for (const ModuleReport& report : reports) {
    observer_.detail(describe(report));
    if (report.method == "solved" || job_.request.data_free) continue;
    const std::string what =
        fmt::format("{} is rounded, not solved", base::escape_controls(report.module));
    if (!job_.request.strict) {
      observer_.warning(what, report.note);
      continue;
    }
    throw base::ConversionError(what, report.note,
                                "leave out --strict, skip the layer with --skip, or calibrate with "
                                "other texts");
  }
}

solve::ReadRows QuantizeWork::rows_of(const Module& module) const {
  return [this, &module](std::size_t first, std::size_t n, float* out) {
    weights().read({module.role, module.layer}, first * module.columns, {out, n * module.columns});
  };
}

/// Norms and biases as they were prepared.
std::vector<std::vector<float>> QuantizeWork::floats_of(const hf::GroupSection& section) const {
  std::vector<std::vector<float>> floats;
  if (section.floats.empty()) return floats;
  const model::TensorMap map = model::map_tensors(job_.checkpoint);
  for (const hf::FloatPlace& place : section.floats) {
    const auto tensor = std::ranges::find(map.used, place.name, &model::MappedTensor::hf);
    std::vector<float>& values = floats.emplace_back(place.n);
    weights().read({tensor->row->role, tensor->layer, tensor->is_bias}, 0, values);
  }
  return floats;
}

void QuantizeWork::round_group(const Group& group, Made& made) {
  for (const std::size_t m : group.modules) {
    const Module& module = job_.module(m);
    if (!module.scheme) continue;
    ModuleReport& report = made.reports.emplace_back(report_of(module));
    made.matrices.push_back(solver_.round(module, {}, rows_of(module), report));
  }
}

calibration::LayerStats QuantizeWork::read_stats(int layer) {
  const Stopwatch phase(statistics_seconds_);
  // Who prepares layers may look at all that there is.
  return job_.calibration->read(
      layer, preparation_ != nullptr ? calibration::Want::kAll : calibration::Want::kGrams,
      n_threads_);
}

void QuantizeWork::solve_readers(const Group& group, const calibration::SiteRow& site,
                                 calibration::SiteStats stats, const std::string& note,
                                 Made& made) {
  std::vector<const Module*> readers;
  for (const std::size_t m : group.modules) {
    const Module& module = job_.module(m);
    if (module.scheme && calibration::site_of(module.role) == &site) readers.push_back(&module);
  }
  if (readers.empty()) return;
  const std::vector<double> importance = solve::diagonal_of(stats.gram, stats.width());
  std::optional<solve::FactoredGram> h;
  {
    const Stopwatch phase(factor_seconds_);
    h.emplace(std::move(stats.gram), stats.width(), job_.request.damping,
              job_.directory.facts.desc_act, n_threads_);
    stats = {};
  }
  for (const Module* const module : readers) {
    ModuleReport& report = made.reports.emplace_back(report_of(*module));
    report.note = note;
    made.matrices.push_back(solver_.solve(*module, *h, importance, rows_of(*module), report));
  }
}

void QuantizeWork::solve_head(const Group& group, Made& made) {
  const calibration::SiteRow& site = *calibration::site_of(job_.module(group.modules[0]).role);
  calibration::LayerStats stats = read_stats(group.layer);
  solve_readers(group, site, std::move(stats.at(site.site)),
                job_.request.sequential ? "from the statistics of the original model" : "", made);
}

void QuantizeWork::solve_site(const Group& group, Made& made) {
  const calibration::SiteRow& site = *calibration::site_of(job_.module(group.modules[0]).role);
  if (!layer_stats_ || layer_stats_->first != group.layer) {
    layer_stats_.reset();
    layer_stats_.emplace(group.layer, read_stats(group.layer));
  }
  solve_readers(group, site, std::move(layer_stats_->second.at(site.site)), "", made);
}

void QuantizeWork::solve_prepared_layer(const Group& group, Made& made) {
  calibration::LayerStats stats = read_stats(group.layer);
  std::string note;
  {
    const Stopwatch phase(preparation_seconds_);
    note = preparation_->prepare(group.layer, stats);
  }
  for (const calibration::SiteRow& site : calibration::sites()) {
    if (!site.per_layer) continue;
    solve_readers(group, site, std::move(stats.at(site.site)), note, made);
  }
}

void QuantizeWork::solve_sequential_layer(const Group& group, Made& made) {
  std::string note;
  if (preparation_ != nullptr) {
    calibration::LayerStats stats = read_stats(group.layer);
    const Stopwatch phase(preparation_seconds_);
    note = preparation_->prepare(group.layer, stats);
  }
  pass_->begin_layer(group.layer);
  pass_->forget_before(group.layer);
  for (const calibration::SiteRow& row : calibration::sites()) {
    if (!row.per_layer) continue;
    const sequential::SequentialSite* site = nullptr;
    {
      const Stopwatch phase(statistics_seconds_);
      site = &pass_->open_site(row.site);
    }
    for (const std::size_t m : group.modules) {
      const Module& module = job_.module(m);
      if (!module.scheme || calibration::site_of(module.role) != &row) continue;
      ModuleReport& report = made.reports.emplace_back(report_of(module));
      report.correction = site->strength.c;
      report.note = site->note.empty() ? note : site->note;
      made.matrices.push_back(
          solver_.solve(module, *site->h, site->importance, pass_->target(module.role), report));
      pass_->put(module.role, made.matrices.back());
    }
  }
  const Stopwatch phase(statistics_seconds_);
  pass_->end_layer();
}

std::vector<ModuleReport> QuantizeWork::all_reports() const {
  std::vector<ModuleReport> all;
  for (std::size_t group = 0; group < job_.groups.size(); ++group) {
    if (!job_.units->has_unit(group)) continue;
    const std::vector<ModuleReport> some = reports_.take(job_.units->unit_of_group(group));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::string QuantizeWork::model_card() const {
  const std::vector<ModuleReport> reports = all_reports();
  const ReportSummary summary = summary_of(reports);
  if (summary.n_solved > 0) {
    observer_.message(fmt::format(
        "output error of {} linear layers: {:.3g} of the output, {:.2f} times that of rounding",
        summary.n_solved, summary.error, summary.ratio()));
  }
  return card_text(job_, reports);
}

nlohmann::ordered_json QuantizeWork::result_numbers(std::size_t) {
  const std::vector<ModuleReport> reports = all_reports();
  const ReportSummary summary = summary_of(reports);
  nlohmann::ordered_json modules = nlohmann::json::array();
  for (const ModuleReport& report : reports) modules.push_back(to_json(report));
  return {{"output_error", summary.error},
          {"output_error_of_rounding", summary.error_of_rounding},
          {"solved_modules", summary.n_solved},
          {"rounded_modules", summary.n_rounded},
          {"modules", std::move(modules)},
          {"seconds_per_phase",
           {{"statistics", statistics_seconds_},
            {"preparation", preparation_seconds_},
            {"factor", factor_seconds_},
            {"solve", solver_.seconds()}}}};
}

}  // namespace lq::quantizer
