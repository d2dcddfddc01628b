#include "common/fidelity/output_error.h"

#include <algorithm>
#include <vector>

#include "common/linalg/product.h"
#include "common/parallel/parallel_for.h"

namespace lq::fidelity {
namespace {

using linalg::Compute;
using linalg::Matrix;

constexpr std::size_t kTileRows = 64;

/// H where it was kept: on the diagonal alone, or in squares along it.
class Gram {
 public:
  explicit Gram(const calibration::SiteStats& stats) : stats_(stats) {
    if (stats.gram.empty()) return;
    for (const calibration::GramSquare& square :
         calibration::gram_squares(stats.kind, stats.width())) {
      const auto first = stats.gram.begin() + static_cast<std::ptrdiff_t>(square.place);
      squares_.push_back(
          {square.first,
           Matrix(square.n, square.n,
                  {first, first + static_cast<std::ptrdiff_t>(square.n * square.n)})});
    }
  }

  /// Sum of r H r^T over the rows [n, width].
  double trace(std::span<const float> rows, std::size_t n) const {
    const std::size_t width = stats_.width();
    double sum = 0;
    if (squares_.empty()) {
      for (std::size_t i = 0; i < rows.size(); ++i) {
        sum += double{rows[i]} * double{rows[i]} * stats_.sum_sq[i % width];
      }
      return sum;
    }
    std::vector<float> product;
    for (const auto& [first, square] : squares_) {
      const std::size_t size = square.rows();
      Matrix part(n, size, Compute::kF32);
      for (std::size_t i = 0; i < n; ++i) part.set_row(i, rows.subspan(i * width + first, size));
      product.resize(n * size);
      linalg::weigh_rows_in_parts(part, square, product.data());
      for (std::size_t i = 0; i < product.size(); ++i) {
        sum += double{part.floats(0)[i]} * double{product[i]};
      }
    }
    return sum;
  }

 private:
  struct Square {
    std::size_t first;
    Matrix values;
  };
  const calibration::SiteStats& stats_;
  std::vector<Square> squares_;
};

}  // namespace

std::optional<double> output_error(const TensorPair& pair, const Folds& folds,
                                   const calibration::LayerStats& stats, int n_threads) {
  const calibration::SiteRow* const site = calibration::site_of(pair.key.role);
  if (site == nullptr || pair.key.is_bias) return std::nullopt;
  const Gram gram(stats.at(site->site));
  const std::size_t n_tiles = (pair.rows + kTileRows - 1) / kTileRows;
  std::vector<double> errors(n_tiles), outputs(n_tiles);
  parallel::parallel_for(n_tiles, n_threads, [&](std::size_t tile, int) {
    const std::size_t row = tile * kTileRows, n = std::min(kTileRows, pair.rows - row);
    const std::size_t first = row * pair.columns;
    std::vector<float> w(n * pair.columns), q(w.size());
    pair.reference->read(pair.key, first, w);
    pair.result->read(first, q);
    outputs[tile] = gram.trace(w, n);
    folds.undo(pair, first, q);
    for (std::size_t i = 0; i < w.size(); ++i) q[i] -= w[i];
    errors[tile] = gram.trace(q, n);
  });
  double error = 0, output = 0;
  for (std::size_t tile = 0; tile < n_tiles; ++tile) {
    error += errors[tile];
    output += outputs[tile];
  }
  if (output <= 0) return std::nullopt;
  return error / output;
}

}  // namespace lq::fidelity
