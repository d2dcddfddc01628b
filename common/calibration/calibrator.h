#pragma once
// Statistics of a model, layer by layer: texts pass through one layer at a time, lane by lane, and
// between two layers their hidden states are on disk. What a step needs and is not there (a run was
// killed, or another machine had that lane) is made again, so that each step is a function of the
// model and the texts alone.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/hidden_states.h"
#include "common/calibration/lanes.h"
#include "common/calibration/layer_stats.h"
#include "common/forward/layer_pass.h"
#include "common/forward/weights.h"

namespace lq::calibration {

struct CalibratorSettings {
  GramKind kind = GramKind::kFull;
  linalg::Compute compute = linalg::Compute::kBf16;
  std::size_t sample_tokens = 0;  // at most
  std::filesystem::path scratch;  // folder of hidden states and lane files
  std::string tag;                // names the run; files of another tag are of no use
  int n_threads = 1;
  /// Told how many tokens have passed a layer; may throw to stop. May be empty.
  std::function<void(std::size_t)> passed = {};
};

/// Seconds that a run has spent so far.
struct PhaseSeconds {
  double weights = 0;     // reading and packing them
  double states = 0;      // hidden states from and to the disk
  double forward = 0;     // the pass itself
  double statistics = 0;  // sums and Gram matrices
};

class Calibrator {
 public:
  /// All arguments are referred to. REQUIRES: ids below the vocabulary's size.
  Calibrator(const model::ModelConfig& config, const forward::WeightSource& weights,
             std::span<const Lane> lanes, CalibratorSettings settings);

  /// Step s < n_layers is decoder layer s, step n_layers the output head. All lanes added in order;
  /// those that another run has left in lane files are taken from there. Steps come in ascending
  /// order: what only earlier ones needed is removed. Throws ConversionError where activations are
  /// not finite, CheckpointError where hidden states vanish as often as they are made, OutputError.
  LayerStats step(std::size_t s);
  /// Of one lane alone.
  LayerStats lane_step(std::size_t lane, std::size_t s);

  std::vector<SiteShape> shapes(std::size_t s) const;
  std::filesystem::path lane_path(std::size_t lane, std::size_t s) const;
  std::string lane_tag(std::size_t lane, std::size_t s) const;
  /// Elements of the sample that a lane gives.
  std::size_t sample_elems(std::size_t lane) const;
  const PhaseSeconds& seconds() const { return seconds_; }

 private:
  bool is_head(std::size_t s) const { return s == static_cast<std::size_t>(config_.n_layers); }
  std::filesystem::path states_path(std::size_t lane, std::size_t s) const;
  std::string states_tag(std::size_t lane, std::size_t s) const;
  std::optional<HiddenStates> find_states(std::size_t lane, std::size_t s) const;
  /// Those that enter step s, made where they are not there.
  HiddenStates states(std::size_t lane, std::size_t s);
  void make_states(std::size_t lane, std::size_t s);
  /// Hidden states of a lane through layer s; `stats` (may be nullptr) takes what its sites see.
  void pass_layer(std::size_t lane, std::size_t s, LayerStats* stats);
  void pass_head(std::size_t lane, LayerStats& stats);
  void take_sample(std::size_t lane, std::span<const float> h, LayerStats& stats) const;
  const forward::Layer& layer(std::size_t s);
  void remove_states_before(std::size_t lane, std::size_t s) const;
  void tell(std::size_t n_tokens) const;

  const model::ModelConfig& config_;
  const forward::WeightSource& weights_;
  const std::span<const Lane> lanes_;
  const CalibratorSettings settings_;
  const std::size_t hidden_;
  forward::LayerPass pass_;
  linalg::GramProducts products_;
  std::optional<std::size_t> loaded_;  // which layer is in memory
  forward::Layer layer_;
  PhaseSeconds seconds_;
};

}  // namespace lq::calibration
