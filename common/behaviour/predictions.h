#pragma once
// What a model predicts at the positions that count, a block of positions at a time: logits of all
// of them would take positions x vocabulary floats.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "common/behaviour/protocol.h"
#include "common/forward/weights.h"
#include "common/linalg/matrix.h"
#include "common/linalg/packed_matrix.h"

namespace lq::behaviour {

/// Referred to.
struct Model {
  const model::ModelConfig& config;
  const forward::WeightSource& weights;
};

/// Throws ConversionError where hidden states behind a layer are not finite.
void require_finite(std::span<const float> states, int layer);
/// What a layer's weights take, ready for products.
std::uint64_t layer_bytes(const model::ModelConfig& config, linalg::Compute compute);

/// Predictions of consecutive positions.
struct PredictionBlock {
  std::size_t first = 0, n = 0;
  std::vector<float> logits;      // [n, vocabulary]: ln p of each token, but for a constant
  std::vector<double> log_sum;    // that constant: ln of the sum of exp(logits)
  std::vector<double> loss;       // -ln p(next token) in nats; 0 where no token follows
  std::vector<std::int32_t> top;  // the token found likeliest, of equals the first

  /// Room for n positions from `first_position` on.
  void resize(std::size_t first_position, std::size_t n_positions, std::size_t vocabulary);
  std::span<const float> row(std::size_t i) const {
    const std::size_t vocabulary = logits.size() / n;
    return std::span(logits).subspan(i * vocabulary, vocabulary);
  }
};

/// Positions of a block: as many as fit 256 MiB of logits, from 128 to 2048.
std::size_t positions_per_block(std::size_t vocabulary);

class Predictions {
 public:
  virtual ~Predictions() = default;
  virtual std::size_t n_positions() const = 0;
  virtual std::size_t vocabulary() const = 0;
  /// Block i, in memory that `block` has from before. REQUIRES: blocks are read in ascending order;
  /// after any of them, one may begin anew with 0.
  virtual void read(std::size_t i, PredictionBlock& block) = 0;

  std::size_t n_blocks() const;
  /// The positions of block i: the first, and how many.
  std::pair<std::size_t, std::size_t> range(std::size_t i) const;
};

struct EvaluationOptions {
  linalg::Compute compute = linalg::Compute::kBf16;
  int n_threads = 1;
  /// Told how many tokens have passed a layer; may throw to stop. May be empty.
  std::function<void(std::size_t)> passed = {};
};

/// Those of a model. All windows go through one layer after the other, so that the weights of one
/// layer are in memory at a time. Results do not depend on the number of threads.
class ModelPredictions final : public Predictions {
 public:
  /// Runs the model. `model` is referred to, `windows` only here. REQUIRES: ids below the
  /// vocabulary's size. Throws ConversionError where activations are not finite, and as
  /// WeightSource::read.
  ModelPredictions(const Model& model, const EvaluationWindows& windows,
                   const EvaluationOptions& options);

  std::size_t n_positions() const override { return next_.size(); }
  std::size_t vocabulary() const override { return head_.rows(); }
  /// Throws ConversionError where logits are not finite.
  void read(std::size_t i, PredictionBlock& block) override;

  /// What one of these takes, about: while the layers run, the hidden states of all windows and a
  /// layer; then the output matrix, what it reads, and a block of logits.
  static std::uint64_t bytes(const model::ModelConfig& config, const EvaluationWindows& windows,
                             const EvaluationOptions& options);

 private:
  /// Fills states_.
  void run_layers(const Model& model, const EvaluationWindows& windows,
                  std::span<const Position> positions, const EvaluationOptions& options);

  const linalg::Compute compute_;
  const int n_threads_;
  std::vector<std::int32_t> next_;
  linalg::Matrix states_;  // [positions, hidden]: what the output matrix reads
  linalg::PackedMatrix head_;
};

}  // namespace lq::behaviour
