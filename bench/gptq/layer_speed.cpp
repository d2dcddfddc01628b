// Processor seconds of each phase of solving one linear layer, from the values that it reads to codes.
//
//   layer_speed ROWS COLUMNS TOKENS [--bits N] [--group N] [--sweeps N] [--asym 0|1]
//
// Weights are normal, the values read have channels of different sizes that depend on each other; one thread. Prints
// one line of JSON. Sweeps are timed one by one and added up, so that fast (none) and normal come from one run.

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "bench/layer_bench.h"
#include "common/linalg/gram.h"
#include "common/solve/row_tile.h"

namespace {

using namespace lq;

constexpr const char* kUsage =
    "usage: layer_speed ROWS COLUMNS TOKENS [--bits N] [--group N] [--sweeps N] [--asym 0|1]\n";

struct Options {
  std::size_t rows = 0, columns = 0, tokens = 0;
  solve::Settings solver;
};

bool set_option(Options& options, const std::string& name, const char* value) {
  if (name == "--bits") return options.solver.bits = std::atoi(value), true;
  if (name == "--group") return options.solver.group_size = std::strtoul(value, nullptr, 10), true;
  if (name == "--sweeps") return options.solver.sweeps = std::atoi(value), true;
  if (name == "--asym") return options.solver.symmetric = std::atoi(value) == 0, true;
  return false;
}

/// Adds what a piece of work takes to a sum.
template <class Work>
void timed(double& seconds, const Work& work) {
  const double begin = bench::processor_seconds();
  work();
  seconds += bench::processor_seconds() - begin;
}

struct Seconds {
  double gram = 0, factor = 0, load = 0, ranges = 0, feedback = 0, sweeps = 0, store = 0;
};

linalg::AlignedVector<float> gram_of(const Options& options, Seconds& seconds) {
  constexpr std::size_t kWindow = 2048;  // tokens of a batch
  linalg::AlignedVector<float> gram(options.columns * options.columns);
  linalg::GramProducts products(1);
  bench::DependentChannels inputs(options.columns);
  linalg::Matrix x;
  for (std::size_t token = 0; token < options.tokens; token += kWindow) {
    x.reshape(std::min(kWindow, options.tokens - token), options.columns, linalg::Compute::kBf16);
    for (std::size_t i = 0; i < x.rows(); ++i) x.set_row(i, inputs.next());
    timed(seconds.gram, [&] { products.add(x, gram.data()); });
  }
  for (std::size_t i = 0; i < options.columns; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      gram[i * options.columns + j] = gram[j * options.columns + i];
    }
  }
  return gram;
}

solve::Outcome solve_rows(const Options& options, const solve::FactoredGram& h, Seconds& seconds) {
  const solve::Problem problem(&h, options.rows, options.columns, options.solver);
  std::vector<float> weights(solve::kTileRows * options.columns);
  std::mt19937 random;
  std::normal_distribution<float> normal(0, 0.02F);
  std::ranges::generate(weights, [&] { return normal(random); });
  tensor::QuantizedMatrix out(options.rows, options.columns, problem.group_size,
                              options.solver.bits);
  solve::RowTile tile(options.columns);
  solve::Outcome outcome;
  for (std::size_t first = 0; first < options.rows; first += solve::kTileRows) {
    const std::size_t n = std::min(solve::kTileRows, options.rows - first);
    timed(seconds.load, [&] { tile.load(problem, weights.data(), n); });
    timed(seconds.ranges, [&] { tile.search_ranges(problem); });
    timed(seconds.feedback, [&] { tile.feed_back(problem, outcome); });
    timed(seconds.sweeps, [&] {
      for (int i = 0; i < options.solver.sweeps; ++i) tile.sweep(problem);
      if (options.solver.sweeps > 0) tile.settle(problem, outcome);
    });
    timed(seconds.store, [&] { tile.store(problem, first, out, outcome); });
  }
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  bool understood = argc >= 4 && argc % 2 == 0;
  for (int i = 4; understood && i < argc; i += 2) {
    understood = set_option(options, argv[i], argv[i + 1]);
  }
  if (!understood) {
    fmt::print(stderr, kUsage);
    return 2;
  }
  options.rows = std::strtoul(argv[1], nullptr, 10);
  options.columns = std::strtoul(argv[2], nullptr, 10);
  options.tokens = std::strtoul(argv[3], nullptr, 10);
  Seconds seconds;
  std::optional<solve::FactoredGram> h;
  {
    linalg::AlignedVector<float> gram = gram_of(options, seconds);
    timed(seconds.factor,
          [&] { h.emplace(std::move(gram), options.columns, solve::Damping{}, false, 1); });
  }
  const solve::Outcome outcome = solve_rows(options, *h, seconds);
  fmt::print(
      "{{\"gram\": {:.3f}, \"factor\": {:.3f}, \"load\": {:.3f}, \"ranges\": {:.3f}, "
      "\"feedback\": {:.3f}, \"sweeps\": {:.3f}, \"store\": {:.3f}, \"error\": {:.6f}, "
      "\"rounded_error\": {:.6f}}}\n",
      seconds.gram, seconds.factor, seconds.load, seconds.ranges, seconds.feedback, seconds.sweeps,
      seconds.store, outcome.error / outcome.energy, outcome.rounded_error / outcome.energy);
  return 0;
}
