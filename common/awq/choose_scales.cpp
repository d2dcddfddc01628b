#include "common/awq/choose_scales.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <optional>
#include <utility>

#include "common/awq/layer_trial.h"
#include "common/parallel/parallel_for.h"

namespace lq::awq {
namespace {

using calibration::SiteStats;
using forward::Site;
using forward::WeightSource;
using model::TensorRole;

// What a row of v or up gives is scaled at the later site, and must be known when that row is
// quantized.
constexpr std::array kSites = {Site::kMlpDown, Site::kMlpIn, Site::kAttnOut, Site::kAttnIn};

/// What the sums are without those of some of the tokens.
struct SiteSums {
  linalg::AlignedVector<float> gram;
  std::vector<double> mean_abs;
};

SiteSums without(const SiteStats& all, const SiteStats* part, int n_threads) {
  const std::size_t n = all.width();
  SiteSums out{all.gram, all.sum_abs};
  double count = static_cast<double>(all.count);
  if (part != nullptr) {
    count -= static_cast<double>(part->count);
    for (std::size_t j = 0; j < n; ++j) out.mean_abs[j] -= part->sum_abs[j];
    parallel::parallel_for(n, n_threads, [&](std::size_t i, int) {
      for (std::size_t j = 0; j < n; ++j) {  // the part has its upper triangle alone
        out.gram[i * n + j] -= part->gram[std::min(i, j) * n + std::max(i, j)];
      }
      // What rounding left of a channel that the others do not use.
      float& square = out.gram[i * n + i];
      square = std::max(square, 0.0F);
    });
  }
  for (double& mean : out.mean_abs) mean = std::max(mean / std::max(count, 1.0), 0.0);
  return out;
}

/// One way to scale the layer, and what quantization makes of it.
struct Way {
  Way(ScaleMode way_mode, const WeightSource& original, const model::ModelConfig& config)
      : mode(way_mode), weights(original, config) {}

  ScaleMode mode;
  LayerScales scales;
  ScaledWeights weights;
  std::vector<SiteChoice> sites;
  QuantizedMatrices matrices;
};

class Chooser {
 public:
  Chooser(const WeightSource& weights, const model::ModelConfig& config, int layer,
          const ChoiceSettings& settings)
      : weights_(weights), config_(config), layer_(layer), settings_(settings) {}

  LayerChoice choose(const calibration::LayerStats& stats, const forward::Windows& sample) {
    LayerChoice choice;
    if (settings_.mode == ScaleMode::kNone) return choice;
    if (settings_.mode != ScaleMode::kAuto) {
      add_way(settings_.mode);
      search(stats, nullptr, choice.note);
      return taken(*ways_.front(), std::move(choice));
    }
    const std::int64_t n_tokens = stats.at(Site::kAttnIn).count;
    LayerTrial trial(weights_, config_, layer_, settings_.compute, settings_.search.n_threads);
    if (!trial.begin(stats.sample, sample, static_cast<std::size_t>(n_tokens) / 2)) {
      choice.note = "too few calibration tokens to hold some out";
      return choice;
    }
    add_way(ScaleMode::kNone);
    for (const ScaleMode mode : settings_.tried) add_way(mode);
    search(stats, &trial.stats(), choice.note);
    trial.forget_stats();
    const Way* best = ways_.front().get();
    for (const auto& way : ways_) {
      const bool is_known = way != ways_.front() && way->scales.is_identity();
      choice.trials.push_back({way->mode, is_known ? choice.trials.front().error
                                                   : trial.error(way->weights, way->matrices)});
    }
    double least = choice.trials.front().error * (1 - settings_.least_gain);
    for (std::size_t i = 1; i < ways_.size(); ++i) {
      if (!(choice.trials[i].error < least)) continue;
      least = choice.trials[i].error;
      best = ways_[i].get();
    }
    return taken(*best, std::move(choice));
  }

 private:
  void add_way(ScaleMode mode) { ways_.push_back(std::make_unique<Way>(mode, weights_, config_)); }

  static LayerChoice taken(const Way& way, LayerChoice choice) {
    choice.mode = way.scales.is_identity() ? ScaleMode::kNone : way.mode;
    choice.scales = way.scales;
    choice.sites = way.sites;
    return choice;
  }

  std::vector<TensorRole> readers(Site site) const {
    std::vector<TensorRole> roles;
    for (const TensorRole role : calibration::site_row(site).readers) {
      if (!weights_.shape({role, layer_}).empty() && settings_.is_quantized(role)) {
        roles.push_back(role);
      }
    }
    return roles;
  }

  std::size_t rows_of(TensorRole role) const {
    return static_cast<std::size_t>(weights_.shape({role, layer_}).at(0));
  }

  solve::ReadRows rows_of_all(const std::vector<TensorRole>& roles, std::size_t columns) const {
    return [this, roles, columns](std::size_t first, std::size_t n, float* out) {
      for (const TensorRole role : roles) {
        const std::size_t rows = rows_of(role),
                          taken = first < rows ? std::min(n, rows - first) : 0;
        if (taken > 0) weights_.read({role, layer_}, first * columns, {out, taken * columns});
        first -= std::min(first, rows);
        n -= taken;
        out += taken * columns;
      }
    };
  }

  /// Scales of all sites for each way; with `held_out` also what quantization makes of them.
  void search(const calibration::LayerStats& stats, const calibration::LayerStats* held_out,
              std::string& note) {
    for (const Site site : kSites) {
      const std::vector<TensorRole> roles = readers(site);
      if (roles.empty()) continue;
      const SiteStats& all = stats.at(site);
      assert(all.kind == calibration::GramKind::kFull);
      SiteSums sums = without(all, held_out == nullptr ? nullptr : &held_out->at(site),
                              settings_.search.n_threads);
      const solve::FactoredGram h(std::move(sums.gram), all.width(), settings_.damping, false,
                                  settings_.search.n_threads);
      if (!h.is_solvable()) {
        note = "a Gram matrix cannot be factored, whatever is added to the diagonal";
        continue;
      }
      SiteProblem problem{h,
                          std::move(sums.mean_abs),
                          scale_of_channels(site, config_),
                          {},
                          rows_of_all(roles, all.width())};
      for (const TensorRole role : roles) problem.rows.push_back(rows_of(role));
      for (const auto& way : ways_) {
        if (can_scale(site, weights_, layer_)) scale(site, problem, *way);
        if (held_out != nullptr) quantize(site, roles, h, *way);
      }
    }
  }

  void scale(Site site, const SiteProblem& problem, Way& way) const {
    if (way.mode == ScaleMode::kNone) return;
    const FoundScales found = way.mode == ScaleMode::kGrid
                                  ? search_grid(problem, settings_.search)
                                  : search_smooth(problem, settings_.search);
    if (found.s.empty()) return;
    LayerScales of_site;
    of_site.at(site) = found.s;
    way.scales.at(site) = rounded_to_norms(of_site, weights_, layer_, settings_.norm_type).at(site);
    way.weights.set(layer_, way.scales);
    way.sites.push_back({site, found.loss_of_identity, found.loss});
  }

  void quantize(Site site, const std::vector<TensorRole>& roles, const solve::FactoredGram& h,
                Way& way) const {
    if (&way != ways_.front().get() && way.scales.is_identity()) {
      for (const TensorRole role : roles) way.matrices[role] = ways_.front()->matrices.at(role);
      return;
    }
    const std::vector<float>& s = way.scales.at(site);
    std::optional<solve::FactoredGram> divided;
    if (!s.empty()) divided.emplace(h.divided_by(s, settings_.search.n_threads));
    for (const TensorRole role : roles) {
      const auto read = [&](std::size_t first, std::size_t n, float* out) {
        way.weights.read({role, layer_}, first * h.n(), {out, n * h.n()});
      };
      way.matrices[role] = settings_.quantize(divided ? *divided : h, rows_of(role), read);
    }
  }

  const WeightSource& weights_;
  const model::ModelConfig& config_;
  const int layer_;
  const ChoiceSettings& settings_;
  std::vector<std::unique_ptr<Way>> ways_;
};

}  // namespace

LayerChoice choose_scales(const WeightSource& weights, const model::ModelConfig& config, int layer,
                          const calibration::LayerStats& stats, const forward::Windows& sample,
                          const ChoiceSettings& settings) {
  return Chooser(weights, config, layer, settings).choose(stats, sample);
}

forward::Windows sample_windows(const calibration::TokenWindows& windows, std::size_t n_lanes,
                                std::size_t n_tokens) {
  forward::Windows sample;
  for (std::size_t window = 0; window < windows.n_windows() && n_tokens > 0; window += n_lanes) {
    sample.lengths.push_back(std::min(windows.window(window).size(), n_tokens));
    n_tokens -= sample.lengths.back();
  }
  return sample;
}

}  // namespace lq::awq
