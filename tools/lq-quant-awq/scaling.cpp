#include "tools/lq-quant-awq/scaling.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "common/calibration/token_file.h"
#include "common/quantizer/module_solver.h"

namespace lq::quant_awq {
namespace {

struct Mode {
  std::string_view name;
  awq::ScaleMode mode;
};
constexpr std::array kModes = {
    Mode{"none", awq::ScaleMode::kNone}, Mode{"grid", awq::ScaleMode::kGrid},
    Mode{"smooth", awq::ScaleMode::kSmooth}, Mode{"auto", awq::ScaleMode::kAuto}};

std::string_view name_of(awq::ScaleMode mode) {
  return std::ranges::find(kModes, mode, &Mode::mode)->name;
}

forward::Windows sample_of(const quantizer::Job& job) {
  const calibration::CalibrationDirectory& calibration = *job.calibration;
  const calibration::Description& description = calibration.description();
  return awq::sample_windows(
      calibration::read_tokens(calibration.path() / calibration::kTokensFile,
                               static_cast<std::size_t>(job.checkpoint.config.vocab)),
      static_cast<std::size_t>(description.lanes),
      static_cast<std::size_t>(description.sample_tokens));
}

}  // namespace

Scaling::Scaling(const quantizer::Job& job, const Options& options, int n_threads)
    : job_(job), n_threads_(n_threads), weights_(*job.weights, job.checkpoint.config) {
  settings_.mode = std::ranges::find(kModes, options.scale, &Mode::name)->mode;
  settings_.search.rounding = quantizer::solve_settings(job, job.directory.facts.scheme);
  settings_.search.n_points = static_cast<int>(options.grid_points);
  settings_.search.n_threads = n_threads;
  settings_.damping = job.request.damping;
  settings_.norm_type = job.directory.float_dtype;
  settings_.compute = job.compute();
  settings_.is_quantized = [&job](model::TensorRole role) {
    return std::ranges::all_of(job.directory.facts.modules, [role](const hf::Module& m) {
      return m.role != role || m.scheme.has_value();
    });
  };
  if (settings_.mode == awq::ScaleMode::kAuto) sample_ = sample_of(job);
}

std::string Scaling::prepare(int layer, calibration::LayerStats& stats) {
  awq::LayerChoice choice =
      awq::choose_scales(*job_.weights, job_.checkpoint.config, layer, stats, sample_, settings_);
  for (auto& [site, of_site] : stats.sites) {
    const std::vector<float>& s = choice.scales.at(site->site);
    if (!s.empty()) awq::divide_gram(of_site.gram, s, n_threads_);
  }
  std::string note = fmt::format("scales: {}", name_of(choice.mode));
  for (const awq::LayerChoice::Trial& trial : choice.trials) {
    note += fmt::format("{} {} {:.3g}", &trial == &choice.trials.front() ? " (trials:" : ",",
                        name_of(trial.mode), trial.error);
  }
  if (!choice.trials.empty()) note += ")";
  if (!choice.note.empty()) note += fmt::format("; {}", choice.note);
  weights_.set(layer, std::move(choice.scales));
  return note;
}

}  // namespace lq::quant_awq
