#pragma once
// How far each tensor of a result is from the reference's, which gets the scales that were folded
// into the result (folds.h).
//
// With w of the reference and q of the result, over all elements of a tensor:
//
//   RMSE            sqrt(mean (q - w)^2)           relative error   |q - w| / |w|
//   SQNR            -20 log10 of that              cosine           <w, q> / (|w| |q|)
//   gain            <w, q> / <w, w>                mean error       mean (q - w), in rms of w
//   mean steps      mean of (q - w) / step, over the sampled rows of tensor_pair.h
//   output error    tr(E H E^T) / tr(W H W^T), E = q - w without those scales, H the
//                   sum of x x^T of calibration
//
// One layer after the other: its quantized linears are decoded at once, and rows go through in
// tiles. Memory: a byte for each weight of the quantized linears of one layer of a directory (none
// of a GGUF), for each thread about 20 MB of tiles and samples, and with calibration the Gram
// matrices of one layer and four floats for each element of a tile of 64 rows.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/calibration/calibration_directory.h"
#include "common/fidelity/folds.h"
#include "common/fidelity/stored_model.h"
#include "common/kernels/error_sums.h"
#include "common/subject/subject.h"

namespace lq::fidelity {

struct TensorError {
  forward::WeightKey key;
  std::string name;  // in the result
  Storage storage;
  bool is_matrix = false;
  kernels::ErrorSums sums;
  std::optional<double> mean_steps;    // none: no grid of even steps
  std::optional<double> output_error;  // none: no statistics of its inputs
  /// Of a tensor of plain floats: elements that are further away than rounding, and the scales that
  /// were folded, explain.
  std::size_t n_beyond_rounding = 0;
  std::string problem;  // why it could not be compared; empty: it was

  double rmse() const;
  /// Of a reference of zeros alone: 0 where the result has them too, else infinity.
  double relative_error() const;
  double sqnr() const;  // dB
  /// 0 where either is zeros alone.
  double cosine() const;
  double gain() const;
  double mean_error() const;
};

/// What is compared, all referred to.
struct Sides {
  const subject::Subject& reference;
  const subject::Subject& result;
  const StoredModel& stored;  // of the result
  const calibration::CalibrationDirectory* calibration = nullptr;
};

struct Comparison {
  std::vector<TensorError> tensors;  // what is outside the layers, then layer by layer
  std::vector<FoldProblem> problems;
  std::vector<std::pair<int, Folds>> folds;  // of each layer
};

/// The tensors of one layer (-1: outside the layers) of both models. Those of another shape, and
/// those that only one has, come with a problem.
std::vector<TensorPair> open_layer(const Sides& sides, int layer, int n_threads);

/// One of them. REQUIRES: both have it, in one shape. Throws as StoredModel::open().
TensorPair open_pair(const Sides& sides, const forward::WeightKey& key);

/// `on_layer` is called behind each layer, from the calling thread. REQUIRES: equal shapes of
/// config(). Results do not depend on the number of threads. Throws as
/// calibration::CalibrationDirectory::read(); values of either model that cannot be read become the
/// problem of their tensor.
Comparison compare(const Sides& sides, int n_threads,
                   const std::function<void(int layer)>& on_layer = {});

}  // namespace lq::fidelity
