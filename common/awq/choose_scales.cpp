#include "common/awq/choose_scales.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <optional>
#include <utility>

#include "common/awq/layer_trial.h"
#include "common/awq/site_rows.h"
#include "common/linalg/matrix.h"
#include "common/parallel/parallel_for.h"

namespace lq::awq {
namespace {

using calibration::SiteStats;
using forward::Site;
using forward::WeightSource;
using model::TensorRole;

constexpr std::array kSites = {Site::kAttnIn, Site::kAttnOut, Site::kMlpIn, Site::kMlpDown};

/// H in float32 with `diagonal` in place of its own, nothing where some of it is not finite.
std::optional<linalg::Matrix> damped(std::span<const float> gram, std::span<const double> diagonal,
                                     int n_threads) {
  const std::size_t n = diagonal.size();
  linalg::Matrix h(n, n, linalg::Compute::kF32);
  std::vector<std::uint8_t> is_finite(n);
  parallel::parallel_for(n, n_threads, [&](std::size_t i, int) {
    float* const row = h.floats(i);
    std::ranges::copy(gram.subspan(i * n, n), row);
    row[i] = static_cast<float>(diagonal[i]);
    is_finite[i] = std::all_of(row, row + n, [](float x) { return std::isfinite(x); });
  });
  if (std::ranges::find(is_finite, 0) != is_finite.end()) return std::nullopt;
  return h;
}

class Chooser {
 public:
  Chooser(const WeightSource& weights, const model::ModelConfig& config, int layer,
          const ChoiceSettings& settings)
      : weights_(weights), config_(config), layer_(layer), settings_(settings) {}

  LayerChoice choose(const calibration::LayerStats& stats, const forward::Windows& sample) {
    LayerChoice choice;
    if (settings_.mode == ScaleMode::kNone) return choice;
    search(stats, choice);
    if (choice.scales.is_identity()) return choice;
    choice.mode = settings_.mode == ScaleMode::kSmooth ? ScaleMode::kSmooth : ScaleMode::kGrid;
    if (settings_.mode == ScaleMode::kAuto && !gains(stats, sample, choice)) {
      choice.mode = ScaleMode::kNone;
      choice.scales = {};
      choice.sites.clear();
    }
    return choice;
  }

 private:
  std::vector<TensorRole> readers(Site site) const {
    std::vector<TensorRole> roles;
    for (const TensorRole role : calibration::site_row(site).readers) {
      if (!weights_.shape({role, layer_}).empty() && settings_.is_quantized(role, layer_)) {
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

  /// Scales of all sites, each without regard to the others.
  void search(const calibration::LayerStats& stats, LayerChoice& choice) const {
    for (const Site site : kSites) {
      const std::vector<TensorRole> roles = readers(site);
      if (roles.empty() || !can_scale(site, weights_, layer_, settings_.is_quantized)) continue;
      const FoundScales found = search(site, roles, stats.at(site), choice.note);
      if (found.s.empty()) continue;
      LayerScales of_site;
      of_site.at(site) = found.s;
      choice.scales.at(site) =
          rounded_to_norms(of_site, weights_, layer_, settings_.norm_type).at(site);
      choice.sites.push_back({site, found.loss_of_identity, found.loss});
    }
  }

  FoundScales search(Site site, const std::vector<TensorRole>& roles, const SiteStats& stats,
                     std::string& note) const {
    assert(stats.kind == calibration::GramKind::kFull);
    const std::size_t n = stats.width();
    const int n_threads = settings_.search.n_threads;
    std::vector<std::size_t> rows;
    for (const TensorRole role : roles) rows.push_back(rows_of(role));
    std::vector<double> mean_abs = stats.sum_abs;
    for (double& mean : mean_abs) {
      mean /= static_cast<double>(std::max<std::int64_t>(stats.count, 1));
    }
    const auto run = [&](const linalg::Matrix& h, std::vector<double> pivots, const auto& how) {
      return how({h, std::move(pivots), mean_abs, scale_of_channels(site, config_), rows,
                  rows_of_all(roles, n)},
                 settings_.search);
    };
    if (settings_.mode == ScaleMode::kSmooth) {
      const solve::FactoredGram h(stats.gram, n, settings_.damping, false, n_threads);
      if (h.is_solvable()) return run(h.damped(), pivots_by_column(h), search_smooth);
      note = "a Gram matrix cannot be factored, whatever is added to the diagonal";
      return {};
    }
    const std::optional<linalg::Matrix> h = damped(stats.gram, importance(stats), n_threads);
    if (h) return run(*h, {}, search_grid);
    note = "a Gram matrix is not finite";
    return {};
  }

  std::vector<double> importance(const SiteStats& stats) const {
    return solve::damped_diagonal(solve::diagonal_of(stats.gram, stats.width()), settings_.damping);
  }

  /// Whether the layer is better with the scales; adds the trials.
  bool gains(const calibration::LayerStats& stats, const forward::Windows& sample,
             LayerChoice& choice) const {
    LayerTrial trial(weights_, config_, layer_, settings_.compute, settings_.search.n_threads);
    if (!trial.begin(stats.sample, sample, settings_.trial_tokens)) {
      choice.note = "no calibration tokens to try scales with";
      return false;
    }
    const auto error = [&](ScaleMode mode, LayerScales scales) {
      ScaledWeights weights(weights_, config_);
      weights.set(layer_, std::move(scales));
      const double value = trial.error(weights, rounded(weights, stats));
      choice.trials.push_back({mode, value});
      return value;
    };
    const double plain = error(ScaleMode::kNone, {});
    return error(choice.mode, choice.scales) < plain * (1 - settings_.least_gain);
  }

  /// All that is quantized, by rounding to nearest.
  QuantizedMatrices rounded(const ScaledWeights& weights,
                            const calibration::LayerStats& stats) const {
    QuantizedMatrices matrices;
    for (const Site site : kSites) {
      const std::vector<TensorRole> roles = readers(site);
      if (roles.empty()) continue;
      const std::vector<double> squares = importance(stats.at(site));
      const std::vector<float>& s = weights.scales(layer_).at(site);
      const std::size_t n = squares.size();
      std::vector<float> of_columns(n);
      for (std::size_t j = 0; j < n; ++j) {
        const double divisor = s.empty() ? 1 : double{s[j]};
        of_columns[j] = static_cast<float>(squares[j] / divisor / divisor);
      }
      for (const TensorRole role : roles) {
        const auto read = [&](std::size_t first, std::size_t count, float* out) {
          weights.read({role, layer_}, first * n, {out, count * n});
        };
        solve::Outcome unused;
        matrices[role] =
            solve::round_to_nearest(of_columns, n, rows_of(role), read, settings_.search.rounding,
                                    settings_.search.n_threads, unused);
      }
    }
    return matrices;
  }

  const WeightSource& weights_;
  const model::ModelConfig& config_;
  const int layer_;
  const ChoiceSettings& settings_;
};

}  // namespace

LayerChoice choose_scales(const WeightSource& weights, const model::ModelConfig& config, int layer,
                          const calibration::LayerStats& stats, const forward::Windows& sample,
                          const ChoiceSettings& settings) {
  return Chooser(weights, config, layer, settings).choose(stats, sample);
}

std::uint64_t search_bytes(ScaleMode mode, std::size_t columns, int n_threads) {
  if (mode == ScaleMode::kNone) return 0;
  const std::uint64_t n = columns, square = n * n;
  // Rows that stand for all, of as many as three layers; errors and their factor of each thread, and
  // a row as it is read.
  const std::uint64_t tiles = 3 * RowsTile::kLanes * n * sizeof(float);
  const std::uint64_t own = 2 * (RowsTile::kLanes + 1) * n * sizeof(float);
  const std::uint64_t h = mode == ScaleMode::kSmooth
                              ? solve::FactoredGram::bytes(columns, false)
                              : square * (sizeof(float) + sizeof(std::uint16_t));
  return h + tiles + static_cast<std::uint64_t>(n_threads) * own;
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
