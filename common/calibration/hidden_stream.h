#pragma once
// The hidden states of all texts on their way through a model, layer by layer and site by site: for
// those who change a layer's matrices between two sites. What a step leaves is on disk, so that
// memory does not grow with the text.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/hidden_states.h"
#include "common/calibration/lanes.h"
#include "common/forward/layer_pass.h"
#include "common/forward/weights.h"

namespace lq::calibration {

struct StreamSettings {
  linalg::Compute compute = linalg::Compute::kBf16;
  std::filesystem::path folder;  // of this stream's files
  std::string tag;               // names the run; files of another tag are of no use
  int n_threads = 1;
};

class HiddenStream {
 public:
  /// `config` and `lanes` are referred to.
  HiddenStream(const model::ModelConfig& config, std::span<const Lane> lanes,
               StreamSettings settings);

  /// Whether the hidden states that enter `layer` are there, whole, for all lanes.
  bool has_states(int layer) const;
  /// Makes those of layer 0.
  void embed(const forward::WeightSource& weights);

  /// What one batch brings to a site.
  struct AtSite {
    const linalg::Matrix* x = nullptr;  // [n_tokens, width], until the next call
    std::vector<float> h;               // the residual stream there, [n_tokens, hidden]
  };
  /// Opens a lane's way from the site before `site`; batches then come in order. Throws
  /// CheckpointError where what the site before left is gone. REQUIRES: sites of a layer in their
  /// order, each with all lanes; not kHeadIn.
  void open(int layer, forward::Site site, std::size_t lane);
  AtSite next(const forward::Layer& weights, const Batch& batch);
  /// What the batches left is there when this returned.
  void close();

  /// From the last site through the down projection: the states that enter layer + 1. Those of
  /// `layer` stay: a run that ends before its caller has kept what it made of the layer goes on from
  /// them.
  void end_layer(int layer, const forward::Layer& weights);
  /// Removes what only layers before this one needed.
  void forget_before(int layer) const;

 private:
  std::filesystem::path file(const std::string& what, std::size_t lane) const;
  std::string tag(const std::string& what, std::size_t lane) const;
  /// Opens what a step reads, and what it leaves; both may be empty but for the stream.
  void begin(std::size_t lane, const std::string& stream, const std::string& inner,
             const std::string& out);
  const linalg::Matrix& read_inner(std::size_t first, std::size_t n, std::size_t width);

  const model::ModelConfig& config_;
  const std::span<const Lane> lanes_;
  const StreamSettings settings_;
  const std::size_t hidden_;
  forward::LayerPass pass_;
  forward::Site site_ = forward::Site::kAttnIn;
  std::optional<HiddenStates> stream_;         // the residual stream before the step
  std::optional<stage::ScratchReader> inner_;  // what the site before had, where the step needs it
  std::optional<stage::ScratchWriter> out_;
  linalg::Matrix values_;
};

}  // namespace lq::calibration
