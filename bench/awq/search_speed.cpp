// Processor seconds of choosing the scales of one layer, from its statistics: of each site's search, one thread.
//
//   search_speed HIDDEN FFN [--scale grid|smooth]
//
// Weights are normal, the values read have channels of different sizes that depend on each other. Prints one line of JSON.

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>
#include <random>
#include <string>
#include <vector>

#include "bench/layer_bench.h"
#include "common/awq/scale_search.h"
#include "common/linalg/gram.h"

namespace {

using namespace lq;

constexpr const char* kUsage = "usage: search_speed HIDDEN FFN [--scale grid|smooth]\n";

struct Inputs {
  linalg::AlignedVector<float> gram;
  std::vector<double> mean_abs;
};

/// Sums over as many tokens as there are channels, at least a window.
Inputs inputs_of(std::size_t columns) {
  constexpr std::size_t kWindow = 1024;
  Inputs out{linalg::AlignedVector<float>(columns * columns), std::vector<double>(columns)};
  bench::DependentChannels channels(columns);
  linalg::GramProducts products(1);
  linalg::Matrix x(kWindow, columns, linalg::Compute::kBf16);
  const std::size_t n_tokens = std::max(columns, kWindow) / kWindow * kWindow;
  for (std::size_t token = 0; token < n_tokens; ++token) {
    const std::vector<float>& row = channels.next();
    for (std::size_t j = 0; j < columns; ++j) {
      out.mean_abs[j] += std::abs(double{row[j]}) / static_cast<double>(n_tokens);
    }
    x.set_row(token % kWindow, row);
    if (token % kWindow + 1 == kWindow) products.add(x, out.gram.data());
  }
  for (std::size_t i = 0; i < columns; ++i) {
    for (std::size_t j = 0; j < i; ++j) out.gram[i * columns + j] = out.gram[j * columns + i];
  }
  return out;
}

/// Of the search alone; what makes H ready for it is counted.
double seconds_of(std::size_t columns, const std::vector<std::size_t>& rows, bool smooth) {
  const Inputs inputs = inputs_of(columns);
  std::vector<std::uint32_t> own(columns);
  for (std::size_t j = 0; j < columns; ++j) own[j] = static_cast<std::uint32_t>(j);
  const auto read = [columns](std::size_t first, std::size_t n, float* out) {
    std::mt19937 random(static_cast<unsigned>(first));
    std::normal_distribution<float> normal(0, 0.02F);
    for (std::size_t i = 0; i < n * columns; ++i) out[i] = normal(random);
  };
  const awq::SearchSettings settings{.rounding = {.symmetric = false}};
  const double begin = bench::processor_seconds();
  awq::FoundScales found;
  if (smooth) {
    const solve::FactoredGram h(inputs.gram, columns, {}, false, 1);
    found = awq::search_smooth(
        {h.damped(), awq::pivots_by_column(h), inputs.mean_abs, own, rows, read}, settings);
  } else {
    linalg::Matrix h(columns, columns, linalg::Compute::kF32);
    const std::vector<double> diagonal =
        solve::damped_diagonal(solve::diagonal_of(inputs.gram, columns), {});
    for (std::size_t i = 0; i < columns; ++i) {
      h.set_row(i, {inputs.gram.data() + i * columns, columns});
      h.floats(i)[i] = static_cast<float>(diagonal[i]);
    }
    found = awq::search_grid({h, {}, inputs.mean_abs, own, rows, read}, settings);
  }
  return bench::processor_seconds() - begin;
}

}  // namespace

int main(int argc, char** argv) {
  std::string scale;
  if (argc == 3) scale = "grid";
  if (argc == 5 && std::string(argv[3]) == "--scale") scale = argv[4];
  if (scale != "grid" && scale != "smooth") {
    fmt::print(stderr, kUsage);
    return 2;
  }
  const std::size_t hidden = std::strtoul(argv[1], nullptr, 10);
  const std::size_t ffn = std::strtoul(argv[2], nullptr, 10);
  const bool smooth = scale == "smooth";
  fmt::print("{{\"qkv\": {:.2f}, \"o\": {:.2f}, \"gate_up\": {:.2f}, \"down\": {:.2f}}}\n",
             seconds_of(hidden, {hidden, hidden, hidden}, smooth),
             seconds_of(hidden, {hidden}, smooth), seconds_of(hidden, {ffn, ffn}, smooth),
             seconds_of(ffn, {hidden}, smooth));
  return 0;
}
