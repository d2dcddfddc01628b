#pragma once
// The steps from the hidden states that enter a layer to those that leave it. The steps stand apart,
// so that who quantizes a layer can change a matrix between two of them.

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "common/forward/attention.h"
#include "common/forward/layer.h"
#include "common/forward/rope.h"
#include "common/forward/site.h"
#include "common/linalg/matrix.h"

namespace lq::forward {

/// Texts that do not see each other, one after the other.
struct Windows {
  std::vector<std::size_t> lengths;  // in tokens, none 0

  std::size_t n_tokens() const;
};

/// Tokens of a window that come behind those whose keys and values are kept.
struct NextTokens {
  std::size_t begin = 0;            // the place of the window's first token among what is kept
  std::size_t first = 0, last = 0;  // their positions in the window, [first, last), not empty
};

/// The steps of a layer. `h`, the hidden states, is [n_tokens, hidden]; matrices have a row per
/// token. Results do not depend on the number of threads.
///
/// A matrix that a step returns stays in the pass, in memory that the next batch uses again: what
/// goes into linear layers (attention_input, mlp_input, normalized) until the next call of one of
/// these, what is inside (attend, mlp_activation) likewise.
class LayerPass {
 public:
  /// `config` is referred to.
  LayerPass(const model::ModelConfig& config, linalg::Compute compute, int n_threads);

  const linalg::Matrix& attention_input(const Layer& layer, std::span<const float> h);
  /// Attention over the windows; what the output projection reads.
  const linalg::Matrix& attend(const Layer& layer, const Windows& windows, const linalg::Matrix& x);
  /// The same for further tokens of windows, the rows of `x`. `kept` holds the heads of `room` tokens
  /// in all, of this layer: those of the tokens before them are there, theirs are added. Windows may
  /// grow to `longest` tokens.
  const linalg::Matrix& attend_next(const Layer& layer, std::span<const NextTokens> tokens,
                                    const linalg::Matrix& x, std::size_t longest, std::size_t room,
                                    Heads& kept);
  void attention_output(const Layer& layer, const linalg::Matrix& x, std::span<float> h) const;
  const linalg::Matrix& mlp_input(const Layer& layer, std::span<const float> h);
  const linalg::Matrix& mlp_activation(const Layer& layer, const linalg::Matrix& x);
  void mlp_output(const Layer& layer, const linalg::Matrix& x, std::span<float> h) const;

  /// All of them in order; `at_site` sees what each group of linear layers reads.
  void run(const Layer& layer, const Windows& windows, std::span<float> h,
           const std::function<void(Site, const linalg::Matrix&)>& at_site);

  /// The normalised rows of h: also the input of the output head, with its norm.
  const linalg::Matrix& normalized(std::span<const float> norm, std::span<const float> h);

  /// What a pass holds for batches of so many tokens, at most, `longest` being the longest window;
  /// without weights and hidden states.
  static std::size_t bytes(const model::ModelConfig& config, linalg::Compute compute,
                           std::size_t n_tokens, std::size_t longest, int n_threads);

 private:
  struct Place {
    const RopeTable* rope;
    std::size_t position;  // in the window
    std::size_t slot;      // among the tokens of the heads
  };
  using Norm = std::vector<float>;

  /// Attention of the blocks over `heads`, once these have those of `x`, whose rows are at places_.
  /// Rows of `out` are those of the heads.
  void attend_blocks(const Layer& layer, const AttentionShape& shape, const linalg::Matrix& x,
                     std::span<const QueryBlock> blocks, Heads& heads, linalg::Matrix& out);
  void project_heads(const Linear& linear, const linalg::Matrix& x, const Norm* norm, bool rotates,
                     std::size_t group, linalg::Matrix& heads);
  void add_linear(const Linear& linear, const linalg::Matrix& x, std::span<float> h) const;

  const model::ModelConfig& config_;
  const linalg::Compute compute_;
  const int n_threads_;
  RopeTables rope_;
  linalg::Matrix input_, inner_, attended_;
  Heads heads_;
  std::vector<Place> places_;                // of each row of a batch
  std::vector<AttentionScratch> attention_;  // of each thread
};

}  // namespace lq::forward
