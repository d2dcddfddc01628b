#include "tools/lq-quant-awq/scaling.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>
#include <utility>

#include "common/calibration/token_file.h"
#include "common/forward/layer_pass.h"
#include "common/linalg/packed_matrix.h"
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

awq::ScaleMode mode_of(const Options& options) {
  return std::ranges::find(kModes, options.scale, &Mode::name)->mode;
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

std::uint64_t scaling_bytes(const quantizer::Job& job, const Options& options, int n_threads) {
  const model::ModelConfig& config = job.checkpoint.config;
  std::size_t widest = 0;
  for (const calibration::SiteShape& site : calibration::site_shapes(config, false)) {
    widest = std::max(widest, site.width);
  }
  const std::uint64_t search = awq::search_bytes(mode_of(options), widest, n_threads);
  if (mode_of(options) != awq::ScaleMode::kAuto) return search;
  std::uint64_t layer = 0, codes = 0;  // of the largest layer: matrices for products, and rounded
  for (const quantizer::Group& group : job.groups) {
    if (group.layer < 0) continue;
    std::uint64_t of_layer = 0, n_weights = 0;
    for (const std::size_t m : group.modules) {
      const hf::Module& module = job.module(m);
      of_layer += linalg::PackedMatrix::bytes(module.rows, module.columns, job.compute());
      n_weights += std::uint64_t{module.rows} * module.columns;
    }
    layer = std::max(layer, of_layer);
    codes = std::max(codes, n_weights + n_weights / 4);  // and scales, of groups of 32 at least
  }
  const awq::ChoiceSettings settings;
  const std::size_t longest =
      job.calibration ? static_cast<std::size_t>(job.calibration->description().seq_len) : 0;
  const std::size_t tokens = std::max(settings.trial_tokens, longest);
  const std::uint64_t states = 3 * sizeof(float) * static_cast<std::uint64_t>(config.hidden);
  return std::max(
      search, layer + codes + tokens * states +
                  forward::LayerPass::bytes(config, job.compute(), tokens,
                                            std::min(tokens, std::max<std::size_t>(longest, 512)),
                                            n_threads));
}

Scaling::Scaling(const quantizer::Job& job, const Options& options, int n_threads)
    : job_(job), n_threads_(n_threads), weights_(*job.weights, job.checkpoint.config) {
  settings_.mode = mode_of(options);
  settings_.search.rounding = quantizer::solve_settings(job, job.directory.facts.scheme);
  settings_.search.n_points = static_cast<int>(options.grid_points);
  settings_.search.n_threads = n_threads;
  settings_.damping = job.request.damping;
  settings_.norm_type = job.directory.float_dtype;
  settings_.compute = job.compute();
  settings_.is_quantized = [&job](model::TensorRole role, int layer) {
    return std::ranges::any_of(job.directory.facts.modules, [&](const hf::Module& m) {
      return m.role == role && m.layer == layer && m.scheme.has_value();
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
