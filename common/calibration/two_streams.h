#pragma once
// The original model and the one that is being quantized, side by side, layer by layer: what a
// sequential quantizer needs to let later matrices make up for what earlier ones lost.
//
//   streams.embed(original, quantized);
//   for each layer:
//     load the original layer; the quantized one begins as a copy of it
//     for site in attn_in, attn_out, mlp_in, mlp_down:
//       streams.at(layer, site, original, quantized, take)   // take is called lane by lane
//       quantize the matrices that read the site, put them into `quantized`
//     streams.end_layer(layer, original, quantized)
//     keep what was made of the layer, then streams.forget_before(layer + 1)
//
// With y_f and y_q for what a matrix W reads of the two streams, and r_f and r_q for the residual
// streams that its output is added to, the output that makes up for the difference is
// sum (W y_f + r_f - r_q) y_q^T against sum y_q y_q^T. Lanes are the folds that held-out windows are
// taken from.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/hidden_stream.h"
#include "common/linalg/aligned.h"
#include "common/linalg/gram.h"

namespace lq::calibration {

/// Sums over the tokens of one lane at one site of width d.
struct CrossProducts {
  std::int64_t count = 0;
  linalg::AlignedVector<float> gram;            // y_q y_q^T [d, d], on and above the diagonal
  linalg::AlignedVector<float> cross;           // (y_f - y_q) y_q^T [d, d]
  linalg::AlignedVector<float> residual_cross;  // (r_f - r_q) y_q^T [hidden, d], of attn_out and
                                                // mlp_down alone

  /// Memory in bytes at a site of that width.
  static std::uint64_t bytes(std::size_t d, std::size_t hidden, bool with_residual);
};

class TwoStreams {
 public:
  /// `config` and `lanes` are referred to; the files of both streams lie in settings.folder.
  TwoStreams(const model::ModelConfig& config, std::span<const Lane> lanes,
             const StreamSettings& settings);

  /// Whether both streams have what enters `layer`: a run can go on there.
  bool has_states(int layer) const;
  void embed(const forward::WeightSource& original, const forward::WeightSource& quantized);
  /// Gives `take` the sums of each lane that has tokens, one lane after the other in the same
  /// memory: it may change them, and keeps what it needs. REQUIRES: has_states(layer); sites in
  /// their order.
  void at(int layer, forward::Site site, const forward::Layer& original,
          const forward::Layer& quantized,
          const std::function<void(std::size_t lane, CrossProducts& sums)>& take);
  /// Both streams go on to the next layer; what entered this one stays.
  void end_layer(int layer, const forward::Layer& original, const forward::Layer& quantized);
  void forget_before(int layer) const;

 private:
  void add(const HiddenStream::AtSite& original, const HiddenStream::AtSite& quantized);
  /// a - b, rounded to the compute type.
  const linalg::Matrix& difference(const linalg::Matrix& a, const linalg::Matrix& b);
  /// The same of rows of float32 values.
  const linalg::Matrix& difference(std::span<const float> a, std::span<const float> b);

  const std::span<const Lane> lanes_;
  const std::size_t hidden_;
  const linalg::Compute compute_;
  const int n_threads_;
  HiddenStream original_, quantized_;
  linalg::GramProducts products_;
  linalg::Matrix difference_;
  CrossProducts sums_;
};

}  // namespace lq::calibration
