#pragma once
// Rotary position embedding (Su et al., arXiv:2104.09864) with the scalings of config.json, as
// transformers computes them.

#include <cstddef>
#include <span>
#include <vector>

#include "common/model/model_config.h"

namespace lq::forward {

/// [head_dim / 2] angles per position, and the factor that all cosines and sines get.
struct RopeFrequencies {
  std::vector<double> per_position;
  double attention_factor = 1;
};
/// `n_positions`: of the text, which dynamic scaling depends on. REQUIRES: not kLongRope; as many
/// divisors as there are frequencies, or none.
RopeFrequencies rope_frequencies(const model::ModelConfig& config, std::size_t n_positions);

/// Cosines and sines of positions 0 to n - 1.
class RopeTable {
 public:
  RopeTable(const model::ModelConfig& config, std::size_t n_positions);

  /// Rotates heads of one position, [n, head_dim]: value i of each together with value i +
  /// head_dim / 2.
  void rotate(std::size_t position, std::span<float> heads) const;

 private:
  std::size_t half_;
  std::vector<float> cos_, sin_;  // [n_positions, head_dim / 2]
};

/// The tables of texts of several lengths: one does for all, but for dynamic scaling.
class RopeTables {
 public:
  explicit RopeTables(const model::ModelConfig& config) : config_(&config) {}

  /// Makes what is not there; not from several threads.
  void prepare(std::size_t n_positions);
  /// REQUIRES: prepare(n_positions)
  const RopeTable& of(std::size_t n_positions) const;

 private:
  const model::ModelConfig* config_;
  struct Entry {
    std::size_t n_positions;
    RopeTable table;
  };
  std::vector<Entry> tables_;
};

}  // namespace lq::forward
