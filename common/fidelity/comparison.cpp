#include "common/fidelity/comparison.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <limits>
#include <utility>

#include "common/base/errors.h"
#include "common/fidelity/output_error.h"
#include "common/parallel/parallel_for.h"

namespace lq::fidelity {
namespace {

using forward::WeightKey;
using kernels::ErrorSums;

// Elements of a tile: both sides stay in a core's cache.
constexpr std::size_t kTileElems = std::size_t{32} * kernels::kErrorRun;
// Scales that were undone are known to a hundredth where norms were rounded.
constexpr double kFoldedRounding = 0.02;

std::size_t n_elems(const tensor::Shape& shape) {
  std::size_t n = 1;
  for (const std::int64_t extent : shape) n *= static_cast<std::size_t>(extent);
  return n;
}

std::string shown(const tensor::Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::optional<TensorPair> pair_of(const Sides& sides, const WeightKey& key) {
  const tensor::Shape wanted = sides.reference.weights().shape(key);
  const tensor::Shape found = sides.result.weights().shape(key);
  if (wanted.empty() && found.empty()) return std::nullopt;
  TensorPair pair{key, sides.stored.name(key)};
  if (wanted.empty()) {
    pair.problem = "the reference has no such tensor";
  } else if (found.empty()) {
    pair.problem = "the result has no such tensor";
  } else if (wanted != found) {
    pair.problem =
        fmt::format("its shape is {}, that of the reference's {}", shown(found), shown(wanted));
  }
  if (!pair.problem.empty()) return pair;
  pair.storage = sides.stored.storage(key);
  pair.reference = &sides.reference.weights();
  pair.columns = static_cast<std::size_t>(wanted.back());
  pair.rows = n_elems(wanted) / pair.columns;
  return pair;
}

bool is_tied_output(const Sides& sides, const WeightKey& key) {
  return key.role == model::TensorRole::kOutput && sides.reference.config().tied_embeddings &&
         sides.result.config().tied_embeddings;
}

std::vector<WeightKey> keys_of(const Sides& sides, int layer) {
  std::vector<WeightKey> keys;
  for (const model::TensorRow& row : sides.reference.architecture().tensors) {
    if (row.per_layer() != (layer >= 0)) continue;
    for (const bool is_bias : {false, true}) {
      const WeightKey key{row.role, layer, is_bias};
      if (!is_tied_output(sides, key)) keys.push_back(key);
    }
  }
  return keys;
}

/// Runs body() and gives the reason where the file is wrong.
template <class Body>
void with_problem(std::string& problem, const Body& body) {
  try {
    body();
  } catch (const base::ValidationError& error) {
    problem = fmt::format("{}: {}", error.what(), error.why());
  }
}

/// What a tile adds.
struct TileSums {
  ErrorSums sums;
  std::size_t n_beyond_rounding = 0;
};

/// One tensor in tiles of its elements.
struct Tiles {
  const TensorPair* pair;
  std::size_t n_elems, first_tile, n_tiles;

  TileSums sums_of(std::size_t tile, const Folds& folds) const {
    const std::size_t first = tile * kTileElems;
    const std::size_t n = std::min(kTileElems, n_elems - first);
    // One for each thread, so that memory is not asked for and given back for every tile.
    thread_local std::vector<float> w, q;
    w.resize(n);
    q.resize(n);
    pair->reference->read(pair->key, first, w);
    pair->result->read(first, q);
    folds.apply(*pair, first, w);
    TileSums out;
    kernels::add_error_sums(w.data(), q.data(), n, out.sums);
    if (!pair->storage.quantized() && out.sums.max_diff > 0) {
      out.n_beyond_rounding =
          n_beyond(w, q, folds.touches(pair->key) ? kFoldedRounding : pair->storage.rounding);
    }
    return out;
  }

 private:
  static std::size_t n_beyond(std::span<const float> w, std::span<const float> q, double rounding) {
    constexpr float kSmallest = 0x1p-24F;  // a step of float16 near 0
    const auto relative = static_cast<float>(rounding);
    std::size_t n = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      n += std::abs(q[i] - w[i]) > relative * std::abs(w[i]) + kSmallest ? 1 : 0;
    }
    return n;
  }
};

std::optional<double> mean_steps(const TensorPair& pair, const Folds& folds) {
  RowSample sample = sample_rows(pair);
  std::vector<float> steps(sample.columns);
  double sum = 0, n = 0;
  for (std::size_t i = 0; i < sample.rows.size(); ++i) {
    const std::size_t first = sample.rows[i] * sample.columns;
    if (!pair.result->read_steps(first, steps)) return std::nullopt;
    const std::span<float> w = std::span(sample.w).subspan(i * sample.columns, sample.columns);
    folds.apply(pair, first, w);
    for (std::size_t j = 0; j < sample.columns; ++j) {
      if (steps[j] == 0) continue;
      sum += double{sample.q[i * sample.columns + j] - w[j]} / double{steps[j]};
      n += 1;
    }
  }
  return n == 0 ? 0 : sum / n;
}

/// All measures of the tensors of a layer.
class LayerComparison {
 public:
  LayerComparison(std::span<const TensorPair> pairs, const Folds& folds, int n_threads)
      : pairs_(pairs), folds_(folds), n_threads_(n_threads) {
    for (const TensorPair& pair : pairs) {
      errors_.push_back(
          {pair.key, pair.name, pair.storage, pair.is_matrix(), {}, {}, {}, 0, pair.problem});
    }
  }

  std::vector<TensorError> run(const calibration::LayerStats* stats) {
    add_tiles();
    parallel::parallel_for(pairs_.size(), n_threads_, [&](std::size_t i, int) {
      TensorError& error = errors_[i];
      if (pairs_[i].result == nullptr || !error.storage.quantized()) return;
      with_problem(error.problem, [&] { error.mean_steps = mean_steps(pairs_[i], folds_); });
    });
    for (std::size_t i = 0; i < pairs_.size() && stats != nullptr; ++i) {
      if (!errors_[i].problem.empty() || pairs_[i].result == nullptr) continue;
      errors_[i].output_error = output_error(pairs_[i], folds_, *stats, n_threads_);
    }
    return std::move(errors_);
  }

 private:
  void add_tiles() {
    std::vector<Tiles> tiles;
    std::vector<std::size_t> tensor_of_tile;
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const std::size_t n = pairs_[i].rows * pairs_[i].columns;
      const std::size_t n_tiles =
          pairs_[i].result == nullptr ? 0 : (n + kTileElems - 1) / kTileElems;
      tiles.push_back({&pairs_[i], n, tensor_of_tile.size(), n_tiles});
      tensor_of_tile.insert(tensor_of_tile.end(), n_tiles, i);
    }
    std::vector<TileSums> sums(tensor_of_tile.size());
    std::vector<std::string> problems(tensor_of_tile.size());
    parallel::parallel_for(tensor_of_tile.size(), n_threads_, [&](std::size_t t, int) {
      const Tiles& tensor = tiles[tensor_of_tile[t]];
      with_problem(problems[t], [&] { sums[t] = tensor.sums_of(t - tensor.first_tile, folds_); });
    });
    for (std::size_t t = 0; t < sums.size(); ++t) {
      TensorError& error = errors_[tensor_of_tile[t]];
      error.sums.add(sums[t].sums);
      error.n_beyond_rounding += sums[t].n_beyond_rounding;
      if (error.problem.empty()) error.problem = std::move(problems[t]);
    }
  }

  const std::span<const TensorPair> pairs_;
  const Folds& folds_;
  const int n_threads_;
  std::vector<TensorError> errors_;
};

}  // namespace

double TensorError::rmse() const { return sums.n == 0 ? 0 : std::sqrt(sums.diff_sq / sums.n); }

double TensorError::relative_error() const {
  if (sums.ww > 0) return std::sqrt(sums.diff_sq / sums.ww);
  return sums.diff_sq == 0 ? 0 : std::numeric_limits<double>::infinity();
}

double TensorError::sqnr() const { return -20 * std::log10(relative_error()); }

double TensorError::cosine() const {
  const double norm = std::sqrt(sums.ww * sums.qq);
  return norm > 0 ? sums.wq / norm : 0;
}

double TensorError::gain() const { return sums.ww > 0 ? sums.wq / sums.ww : 0; }

double TensorError::mean_error() const {
  return sums.ww > 0 ? sums.diff / std::sqrt(sums.ww * sums.n) : 0;
}

std::vector<TensorPair> open_layer(const Sides& sides, int layer, int n_threads) {
  std::vector<TensorPair> pairs;
  for (const WeightKey& key : keys_of(sides, layer)) {
    std::optional<TensorPair> pair = pair_of(sides, key);
    if (pair) pairs.push_back(std::move(*pair));
  }
  parallel::parallel_for(pairs.size(), n_threads, [&](std::size_t i, int) {
    TensorPair& pair = pairs[i];
    if (!pair.problem.empty()) return;
    with_problem(pair.problem, [&] { pair.result = sides.stored.open(pair.key); });
  });
  return pairs;
}

TensorPair open_pair(const Sides& sides, const WeightKey& key) {
  std::optional<TensorPair> pair = pair_of(sides, key);
  assert(pair && pair->problem.empty());
  pair->result = sides.stored.open(key);
  return std::move(*pair);
}

Comparison compare(const Sides& sides, int n_threads, const std::function<void(int)>& on_layer) {
  Comparison all;
  const auto n_layers = static_cast<int>(sides.reference.config().n_layers);
  for (int layer = -1; layer < n_layers; ++layer) {
    const std::vector<TensorPair> pairs = open_layer(sides, layer, n_threads);
    Folds folds;
    if (layer >= 0) folds = Folds(pairs, sides.reference.config(), n_threads);
    std::optional<calibration::LayerStats> stats;
    if (sides.calibration != nullptr) {
      stats = sides.calibration->read(layer, calibration::Want::kGrams, n_threads);
    }
    std::vector<TensorError> errors =
        LayerComparison(pairs, folds, n_threads).run(stats ? &*stats : nullptr);
    std::ranges::move(errors, std::back_inserter(all.tensors));
    all.problems.insert(all.problems.end(), folds.problems().begin(), folds.problems().end());
    if (layer >= 0) all.folds.emplace_back(layer, std::move(folds));
    if (on_layer) on_layer(layer);
  }
  return all;
}

}  // namespace lq::fidelity
