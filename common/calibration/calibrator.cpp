#include "common/calibration/calibrator.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <fmt/format.h>
#include <limits>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/calibration/lane_file.h"
#include "common/kernels/convert.h"

namespace lq::calibration {

namespace fs = std::filesystem;

namespace {

/// Adds the time of its life to a phase.
class PhaseTimer {
 public:
  explicit PhaseTimer(double& phase) : phase_(phase) {}
  ~PhaseTimer() {
    phase_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  double& phase_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

void require_finite(const LayerStats& stats, const std::string& where) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  for (const auto& [row, site] : stats.sites) {
    const auto wrong = std::ranges::find_if_not(site.sum_sq, [](double x) { return x < kLargest; });
    if (wrong == site.sum_sq.end()) continue;
    throw base::ConversionError(
        fmt::format("cannot keep statistics of {}", where),
        fmt::format("channel {} of {} has values that are not finite, or too large to be squared",
                    wrong - site.sum_sq.begin(), row->name),
        "try --compute f32; if that fails too, the model is damaged: fetch it again");
  }
}

}  // namespace

Calibrator::Calibrator(const model::ModelConfig& config, const forward::WeightSource& weights,
                       std::span<const Lane> lanes, CalibratorSettings settings)
    : config_(config),
      weights_(weights),
      lanes_(lanes),
      settings_(std::move(settings)),
      hidden_(static_cast<std::size_t>(config.hidden)),
      pass_(config, settings_.compute, settings_.n_threads),
      products_(settings_.n_threads),
      newest_(lanes.size()) {}

std::vector<SiteShape> Calibrator::shapes(std::size_t s) const {
  return site_shapes(config_, is_head(s));
}

fs::path Calibrator::lane_path(std::size_t lane, std::size_t s) const {
  return settings_.scratch / lane_file_name(lane, s);
}

fs::path Calibrator::states_path(std::size_t lane, std::size_t s) const {
  return settings_.scratch / fmt::format("lane-{}", lane) / fmt::format("states-{:03}", s);
}

std::string Calibrator::lane_tag(std::size_t lane, std::size_t s) const {
  return fmt::format("{} sums of lane {} in step {}", settings_.tag, lane, s);
}

std::string Calibrator::states_tag(std::size_t lane, std::size_t s) const {
  return fmt::format("{} states of lane {} entering step {}", settings_.tag, lane, s);
}

std::size_t Calibrator::sample_elems(std::size_t lane) const {
  return lane == 0 ? std::min(settings_.sample_tokens, lanes_[0].n_tokens()) * hidden_ : 0;
}

LayerStats Calibrator::step(std::size_t s) {
  std::optional<LayerStats> total;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    if (lanes_[lane].batches.empty()) continue;
    if (fs::exists(lane_path(lane, s))) {
      if (!total) total = empty_layer_stats(shapes(s), settings_.kind);
      if (add_lane_file(lane_path(lane, s), lane_tag(lane, s), *total, sample_elems(lane),
                        settings_.n_threads)) {
        tell(lanes_[lane].n_tokens());
        continue;
      }
    }
    LayerStats of_lane = lane_step(lane, s);
    if (total) {
      total->add(of_lane, settings_.n_threads);
    } else {
      total = std::move(of_lane);
    }
  }
  assert(total);
  return *std::move(total);
}

LayerStats Calibrator::lane_step(std::size_t lane, std::size_t s) {
  remove_states_before(lane, s);
  LayerStats stats = empty_layer_stats(shapes(s), settings_.kind);
  if (is_head(s)) {
    pass_head(lane, stats);
  } else {
    pass_layer(lane, s, &stats);
  }
  require_finite(stats, is_head(s) ? "the output head" : fmt::format("layer {}", s));
  return stats;
}

std::optional<HiddenStates> Calibrator::find_states(std::size_t lane, std::size_t s) const {
  return HiddenStates::open(states_path(lane, s), states_tag(lane, s), lanes_[lane].n_tokens(),
                            hidden_);
}

HiddenStates Calibrator::states(std::size_t lane, std::size_t s) {
  std::optional<Newest>& newest = newest_[lane];
  if (!newest || newest->step != s) {
    newest.reset();
    if (auto found = find_states(lane, s)) return *std::move(found);
    make_states(lane, s);
  }
  HiddenStates taken = std::move(newest->states);
  newest.reset();
  return taken;
}

void Calibrator::make_states(std::size_t lane, std::size_t s) {
  std::optional<Newest>& newest = newest_[lane];
  for (std::size_t from = s; from-- > 0 && !newest;) {
    if (auto found = find_states(lane, from)) newest.emplace(Newest{from, *std::move(found)});
  }
  if (!newest) {
    const PhaseTimer timer(seconds_.states);
    newest.emplace(Newest{0, write_embeddings(weights_, lanes_[lane], hidden_, states_path(lane, 0),
                                              states_tag(lane, 0))});
  }
  while (newest->step < s) {
    pass_layer(lane, newest->step, nullptr);
    remove_states_before(lane, newest->step);
  }
}

void Calibrator::pass_layer(std::size_t lane, std::size_t s, LayerStats* stats) {
  const HiddenStates in = states(lane, s);
  const forward::Layer& loaded = layer(s);
  HiddenStatesWriter out(states_path(lane, s + 1), states_tag(lane, s + 1), hidden_);
  double of_statistics = 0;
  const auto at_site = [&](forward::Site site, const linalg::Matrix& x) {
    const PhaseTimer timer(of_statistics);
    if (stats != nullptr) stats->at(site).add_rows(x, products_, settings_.n_threads);
  };
  std::vector<float> h;
  for (const Batch& batch : lanes_[lane].batches) {
    const std::size_t n = batch.windows.n_tokens();
    {
      const PhaseTimer timer(seconds_.states);
      h = in.read(batch.first_token, n);
      if (stats != nullptr) take_sample(lane, h, *stats);
    }
    {
      const PhaseTimer timer(seconds_.forward);
      pass_.run(loaded, batch.windows, h, at_site);
    }
    {
      const PhaseTimer timer(seconds_.states);
      out.write(h);
    }
    if (stats != nullptr) tell(n);
  }
  {
    const PhaseTimer timer(seconds_.states);
    newest_[lane].emplace(Newest{s + 1, out.finish()});
  }
  seconds_.forward -= of_statistics;
  seconds_.statistics += of_statistics;
}

void Calibrator::pass_head(std::size_t lane, LayerStats& stats) {
  const HiddenStates in = states(lane, static_cast<std::size_t>(config_.n_layers));
  loaded_.reset();
  layer_ = {};
  const std::vector<float> norm = forward::load_vector(weights_, {model::TensorRole::kOutputNorm});
  for (const Batch& batch : lanes_[lane].batches) {
    const PhaseTimer timer(seconds_.statistics);
    const std::vector<float> h = in.read(batch.first_token, batch.windows.n_tokens());
    take_sample(lane, h, stats);
    stats.at(forward::Site::kHeadIn)
        .add_rows(pass_.normalized(norm, h), products_, settings_.n_threads);
  }
}

void Calibrator::take_sample(std::size_t lane, std::span<const float> h, LayerStats& stats) const {
  const std::size_t taken = stats.sample.size();
  const std::size_t n = std::min(sample_elems(lane) - taken, h.size());
  if (n == 0) return;
  stats.sample.resize(taken + n);
  kernels::narrow_to_bf16(h.first(n), reinterpret_cast<std::byte*>(stats.sample.data() + taken));
}

const forward::Layer& Calibrator::layer(std::size_t s) {
  if (loaded_ == s) return layer_;
  const PhaseTimer timer(seconds_.weights);
  loaded_.reset();
  layer_ = {};  // before the next one takes memory
  layer_ = forward::load_layer(weights_, config_, static_cast<int>(s), settings_.compute,
                               settings_.n_threads);
  loaded_ = s;
  return layer_;
}

void Calibrator::remove_states_before(std::size_t lane, std::size_t s) const {
  std::error_code ignored;
  for (std::size_t before = 0; before < s; ++before) fs::remove(states_path(lane, before), ignored);
}

void Calibrator::tell(std::size_t n_tokens) const {
  if (settings_.passed) settings_.passed(n_tokens);
}

}  // namespace lq::calibration
