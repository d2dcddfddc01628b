#pragma once
// Scales that a result has folded into its weights (activation-aware quantization, arXiv
// 2306.00978): what gives channel j is divided by s_j, the columns j that read it are multiplied by
// s_j, and the model is the same function. Before the two are compared, the reference's weights get
// the same scales: codes are chosen for the scaled weights, and what they lose is even there, while
// undone scales would blow up the columns of channels that carry next to nothing.
//
//   given by                        read by       s_j is known from
//   the weights of a norm           q, k, v       the ratio of the norms' weights, exactly
//   the weights of a norm           gate, up      the same
//   the rows of up, and its bias    down          the gains of rows and of columns together
//   the rows of v, and its bias     o             the same, one of each key-value channel
//
// The gain of a row or column is <w, w^> / <w, w>. Scales are believed where both sides tell the same:
// the gain of columns must be s_j where that of the norm or the rows is 1 / s_j. Where they do not,
// nothing is scaled and the problem is told: scales folded into one side alone, or twice.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "common/fidelity/tensor_pair.h"
#include "common/forward/site.h"
#include "common/model/model_config.h"

namespace lq::fidelity {

struct FoldProblem {
  forward::WeightKey tensor;  // that gives the channels
  std::string what, why;
};

/// Of one layer.
class Folds {
 public:
  /// Reads samples of rows, and the first columns of what gives channels. Pairs that cannot be read
  /// or are another's are left out.
  Folds(std::span<const TensorPair> pairs, const model::ModelConfig& config, int n_threads);
  /// None at all.
  Folds() = default;

  /// Whether the result has scales in a tensor.
  bool touches(const forward::WeightKey& key) const;
  /// Gives them to elements of the reference from `first` on.
  void apply(const TensorPair& pair, std::size_t first, std::span<float> values) const;
  /// Takes them from elements of the result, or from differences.
  void undo(const TensorPair& pair, std::size_t first, std::span<float> values) const;

  const std::vector<FoldProblem>& problems() const { return problems_; }

 private:
  struct Fold {
    model::TensorRole producer;
    forward::Site site;
    std::vector<float> rows, columns;  // scales of the channels, as many as there are of either
  };
  friend class FoldSearch;
  /// What a row was divided by, and a column multiplied by; empty: 1.
  std::span<const float> rows(const forward::WeightKey& key) const;
  std::span<const float> columns(const forward::WeightKey& key) const;
  template <class Change>
  void change(const TensorPair& pair, std::size_t first, std::span<float> values,
              const Change& changed) const;

  std::vector<Fold> folds_;
  std::vector<FoldProblem> problems_;
};

}  // namespace lq::fidelity
