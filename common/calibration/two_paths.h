#pragma once
// The original model and the one that is being quantized, side by side, layer by layer: what a
// sequential quantizer needs to let later matrices make up for what earlier ones lost.
//
//   paths.embed(original, quantized);
//   for each layer:
//     load the original layer; the quantized one begins as a copy of it
//     for site in attn_in, attn_out, mlp_in, mlp_down:
//       products = paths.at(layer, site, original, quantized)   // one per lane
//       quantize the matrices that read the site, put them into `quantized`
//     paths.end_layer(layer, original, quantized)
//
// With y_f and y_q for what a matrix W reads on the two paths, and r_f and r_q for the residual
// streams that its output is added to, the output that makes up for the difference is
// sum (W y_f + r_f - r_q) y_q^T against sum y_q y_q^T. Lanes are the folds that held-out windows are
// taken from.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/path.h"
#include "common/linalg/gram.h"

namespace lq::calibration {

/// Sums over the tokens of one lane at one site of width d.
struct CrossProducts {
  std::int64_t count = 0;
  std::vector<float> gram;      // y_q y_q^T [d, d], on and above the diagonal
  std::vector<float> inputs;    // (y_f - y_q) y_q^T [d, d]
  std::vector<float> residual;  // (r_f - r_q) y_q^T [hidden, d]; of attn_out and mlp_down alone
};

class TwoPaths {
 public:
  /// `config` and `lanes` are referred to; the files of both paths lie in settings.folder.
  TwoPaths(const model::ModelConfig& config, std::span<const Lane> lanes,
           const PathSettings& settings);

  /// Whether both paths have what enters `layer`: a run can go on there.
  bool has_states(int layer) const;
  void embed(const forward::WeightSource& original, const forward::WeightSource& quantized);
  /// Per lane. REQUIRES: has_states(layer); sites in their order.
  std::vector<CrossProducts> at(int layer, forward::Site site, const forward::Layer& original,
                                const forward::Layer& quantized);
  /// Both paths go on to the next layer.
  void end_layer(int layer, const forward::Layer& original, const forward::Layer& quantized);

 private:
  void add(const Path::AtSite& original, const Path::AtSite& quantized, bool with_residual,
           CrossProducts& sums);
  /// Rows a - b, rounded to the compute type.
  const linalg::Matrix& difference(const linalg::Matrix& a, const linalg::Matrix& b);

  const std::span<const Lane> lanes_;
  const std::size_t hidden_;
  const linalg::Compute compute_;
  const int n_threads_;
  Path original_, quantized_;
  linalg::GramProducts products_;
  linalg::Matrix difference_;
};

}  // namespace lq::calibration
