#include "common/solve/solve.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <vector>

#include "common/parallel/parallel_for.h"
#include "common/solve/row_tile.h"

namespace lq::solve {
namespace {

/// Runs `work` over all tiles of rows, each with memory of its thread, and adds the outcomes up in
/// the order of the tiles.
template <class Work>
void for_each_tile(const Problem& problem, std::size_t rows, const ReadRows& read, int n_threads,
                   Outcome& outcome, const Work& work) {
  const std::size_t n_tiles = (rows + kTileRows - 1) / kTileRows;
  std::vector<Outcome> outcomes(n_tiles);
  std::vector<std::unique_ptr<RowTile>> tiles(static_cast<std::size_t>(n_threads));
  std::vector<std::vector<float>> buffers(tiles.size());
  parallel::parallel_for(n_tiles, n_threads, [&](std::size_t index, int worker) {
    auto& tile = tiles[static_cast<std::size_t>(worker)];
    auto& buffer = buffers[static_cast<std::size_t>(worker)];
    if (!tile) {
      tile = std::make_unique<RowTile>(problem.columns);
      buffer.resize(kTileRows * problem.columns);
    }
    const std::size_t first = index * kTileRows, n = std::min(kTileRows, rows - first);
    read(first, n, buffer.data());
    tile->load(problem, buffer.data(), n);
    work(*tile, first, outcomes[index]);
  });
  for (const Outcome& tile : outcomes) outcome += tile;
}

/// Where columns are grouped by their importance.
void name_groups(const FactoredGram& h, std::size_t group_size, tensor::QuantizedMatrix& out) {
  if (!h.is_permuted()) return;
  out.group_of.resize(h.n());
  for (std::size_t place = 0; place < h.n(); ++place) {
    out.group_of[h.columns()[place]] = static_cast<std::int32_t>(place / group_size);
  }
}

}  // namespace

Outcome& Outcome::operator+=(const Outcome& other) {
  error += other.error;
  rounded_error += other.rounded_error;
  energy += other.energy;
  rounded_rows += other.rounded_rows;
  saturated_codes += other.saturated_codes;
  return *this;
}

tensor::QuantizedMatrix solve(const FactoredGram& h, std::size_t rows, const ReadRows& read,
                              const Settings& settings, int n_threads, Outcome& outcome) {
  const Problem problem(&h, rows, h.n(), settings);
  tensor::QuantizedMatrix out(rows, h.n(), problem.group_size, settings.bits);
  for_each_tile(problem, rows, read, n_threads, outcome,
                [&](RowTile& tile, std::size_t first, Outcome& of_tile) {
                  tile.search_ranges(problem);
                  tile.feed_back(problem, of_tile);
                  for (int i = 0; i < settings.sweeps; ++i) tile.sweep(problem);
                  if (settings.sweeps > 0) tile.settle(problem, of_tile);
                  tile.store(problem, first, out, of_tile);
                });
  name_groups(h, problem.group_size, out);
  return out;
}

tensor::QuantizedMatrix round_clipped(const FactoredGram& h, std::size_t rows, const ReadRows& read,
                                      const Settings& settings, int n_passes, int n_threads,
                                      Outcome& outcome) {
  const Problem problem(&h, rows, h.n(), settings);
  assert(problem.group_size <= kMaxGroup);
  tensor::QuantizedMatrix out(rows, h.n(), problem.group_size, settings.bits);
  for_each_tile(problem, rows, read, n_threads, outcome,
                [&](RowTile& tile, std::size_t first, Outcome& of_tile) {
                  tile.search_ranges(problem);
                  tile.round_and_measure(problem, of_tile);
                  for (int i = 0; i < n_passes; ++i) tile.clip_ranges(problem);
                  tile.store(problem, first, out, of_tile);
                });
  name_groups(h, problem.group_size, out);
  return out;
}

tensor::QuantizedMatrix round_to_nearest(std::span<const float> importance, std::size_t columns,
                                         std::size_t rows, const ReadRows& read,
                                         const Settings& settings, int n_threads,
                                         Outcome& outcome) {
  Problem problem(nullptr, rows, columns, settings);
  if (!importance.empty()) std::ranges::copy(importance, problem.importance.begin());
  tensor::QuantizedMatrix out(rows, columns, problem.group_size, settings.bits);
  for_each_tile(problem, rows, read, n_threads, outcome,
                [&](RowTile& tile, std::size_t first, Outcome& of_tile) {
                  tile.search_ranges(problem);
                  tile.round(problem);
                  tile.store(problem, first, out, of_tile);
                });
  return out;
}

std::uint64_t bytes_per_thread(std::size_t columns) {
  // Weights, E twice or with values of codes beside it, and the rows as they are read; E by rounding
  // and some weights in bfloat16; codes.
  return kTileRows * std::uint64_t{columns} * (5 * sizeof(float) + 4 + 1) +
         (std::uint64_t{1} << 20);
}

}  // namespace lq::solve
