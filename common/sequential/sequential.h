#pragma once
// A model quantized in the order of its layers, and of the sites of a layer: statistics come from
// what the matrices quantized before make of the tokens, and targets make up for what those lost
// (correction.h). What codes are chosen for them, and for which format, is the caller's.
//
//   for each layer from the first that is not recorded:
//     pass.begin_layer(layer)
//     for each site of a layer, in order (calibration::sites()):
//       const SequentialSite& here = pass.open_site(site)
//       for each role of here.matrices: quantize here.target(role) under here.h; pass.put(role, it)
//     pass.end_layer(); record what was made of the layer; pass.forget_before(layer + 1)
//
// What is not put stays as it is in the original model.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/calibration/sites.h"
#include "common/calibration/two_streams.h"
#include "common/calibration/windows.h"
#include "common/forward/layer.h"
#include "common/sequential/correction.h"
#include "common/solve/factored_gram.h"
#include "common/solve/solve.h"
#include "common/tensor/quantized_matrix.h"

namespace lq::sequential {

/// Folds of windows that are held out in turn: window i is in fold i mod kFolds. Sites wider than
/// kManyColumns have half as many, for the sake of memory. Fewer windows than kFolds give no
/// correction.
inline constexpr std::size_t kFolds = 4;
inline constexpr std::size_t kManyColumns = 8192;

struct SequentialSettings {
  linalg::Compute compute = linalg::Compute::kBf16;
  std::filesystem::path folder;  // of the hidden states of both models
  std::string tag;               // names the run; files of another tag are of no use
  solve::Damping damping = {};
  bool places_by_importance = false;  // of FactoredGram
  int n_threads = 1;                  // without influence on the result
};

/// A site whose statistics are made.
struct SequentialSite {
  struct Matrix {
    model::TensorRole role;
    std::size_t first_row = 0, rows = 0;  // among those of all
  };

  const calibration::SiteRow* row = nullptr;
  std::vector<Matrix> matrices;    // that read it, those that the model has
  std::vector<double> importance;  // [width], the diagonal of H as it is
  /// May not be solvable.
  std::optional<solve::FactoredGram> h;
  Strength strength;
  std::string note;  // why there is no correction though one would be needed; else empty
};

class SequentialPass {
 public:
  /// `config` and `original` are referred to. REQUIRES: ids below the vocabulary's size.
  SequentialPass(const model::ModelConfig& config, const forward::WeightSource& original,
                 const calibration::TokenWindows& windows, SequentialSettings settings);

  /// Whether a run can go on there. Always at layer 0.
  bool can_begin(int layer) const;
  /// Throws CheckpointError where it cannot, OutputError, and as WeightSource::read.
  void begin_layer(int layer);
  /// Passes all tokens to the site. Throws CheckpointError where hidden states are gone,
  /// ConversionError where they are not finite, OutputError. REQUIRES: a begun layer; sites in their
  /// order, all of them.
  const SequentialSite& open_site(forward::Site site);
  /// Rows of W*; of use until the next call of open_site or end_layer. REQUIRES: a role of the open
  /// site.
  solve::ReadRows target(model::TensorRole role) const;
  /// From here on the quantized model has these values, as the compute type holds them, in the place
  /// of a matrix. `values` is called from several threads. REQUIRES: a role of the open site.
  void put(model::TensorRole role, const solve::ReadRows& values);
  void put(model::TensorRole role, const tensor::QuantizedMatrix& matrix);
  /// Both models go on to the next layer; what entered this one stays. Throws as open_site.
  void end_layer();
  /// Removes what only layers before this one needed.
  void forget_before(int layer) const { streams_.forget_before(layer); }

 private:
  SiteSums::Sample sample() const;
  void read_rows(std::size_t first, std::size_t n, float* out) const;
  const SequentialSite::Matrix& find(model::TensorRole role) const;
  void require_finite() const;

  const model::ModelConfig& config_;
  const forward::WeightSource& weights_;
  const SequentialSettings settings_;
  const std::size_t n_windows_;
  const std::vector<calibration::Lane> lanes_;
  calibration::TwoStreams streams_;
  int layer_ = -1;
  forward::Layer original_, quantized_;
  SequentialSite site_;
  linalg::AlignedVector<float> targets_;  // of all rows of the site; empty: the weights themselves
};

/// Memory in bytes, the program's own aside.
struct SequentialMemory {
  std::uint64_t peak = 0;     // of a pass itself
  std::uint64_t solving = 0;  // at most, of what stays while the caller works on an open site
};
SequentialMemory sequential_memory(const model::ModelConfig& config,
                                   const calibration::TokenWindows& windows,
                                   linalg::Compute compute, bool places_by_importance,
                                   int n_threads);

}  // namespace lq::sequential
