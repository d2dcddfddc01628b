#include "common/calibration/two_paths.h"

#include "common/parallel/parallel_for.h"

namespace lq::calibration {
namespace {

PathSettings of_path(const PathSettings& settings, const char* name) {
  PathSettings own = settings;
  own.folder /= name;
  own.tag = settings.tag + " " + name;
  return own;
}

}  // namespace

TwoPaths::TwoPaths(const model::ModelConfig& config, std::span<const Lane> lanes,
                   const PathSettings& settings)
    : lanes_(lanes),
      hidden_(static_cast<std::size_t>(config.hidden)),
      compute_(settings.compute),
      n_threads_(settings.n_threads),
      original_(config, lanes, of_path(settings, "original")),
      quantized_(config, lanes, of_path(settings, "quantized")),
      products_(settings.n_threads) {}

bool TwoPaths::has_states(int layer) const {
  return original_.has_states(layer) && quantized_.has_states(layer);
}

void TwoPaths::embed(const forward::WeightSource& original,
                     const forward::WeightSource& quantized) {
  original_.embed(original);
  quantized_.embed(quantized);
}

std::vector<CrossProducts> TwoPaths::at(int layer, forward::Site site,
                                        const forward::Layer& original,
                                        const forward::Layer& quantized) {
  const bool with_residual = site == forward::Site::kAttnOut || site == forward::Site::kMlpDown;
  std::vector<CrossProducts> sums(lanes_.size());
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    original_.open(layer, site, lane);
    quantized_.open(layer, site, lane);
    for (const Batch& batch : lanes_[lane].batches) {
      const Path::AtSite from_original = original_.next(original, batch);
      add(from_original, quantized_.next(quantized, batch), with_residual, sums[lane]);
    }
    original_.close();
    quantized_.close();
  }
  return sums;
}

void TwoPaths::end_layer(int layer, const forward::Layer& original,
                         const forward::Layer& quantized) {
  original_.end_layer(layer, original);
  quantized_.end_layer(layer, quantized);
}

void TwoPaths::add(const Path::AtSite& original, const Path::AtSite& quantized, bool with_residual,
                   CrossProducts& sums) {
  const linalg::Matrix& x = *quantized.x;
  const std::size_t d = x.columns();
  sums.gram.resize(d * d);
  sums.inputs.resize(d * d);
  sums.count += static_cast<std::int64_t>(x.rows());
  products_.add(x, sums.gram.data());
  products_.add_cross(difference(*original.x, x), x, sums.inputs.data());
  if (!with_residual) return;
  sums.residual.resize(hidden_ * d);
  difference_.reshape(x.rows(), hidden_, compute_);
  parallel::parallel_for(x.rows(), n_threads_, [&](std::size_t row, int) {
    std::vector<float> values(hidden_);
    for (std::size_t i = 0; i < hidden_; ++i) {
      values[i] = original.h[row * hidden_ + i] - quantized.h[row * hidden_ + i];
    }
    difference_.set_row(row, values);
  });
  products_.add_cross(difference_, x, sums.residual.data());
}

const linalg::Matrix& TwoPaths::difference(const linalg::Matrix& a, const linalg::Matrix& b) {
  difference_.reshape(a.rows(), a.columns(), compute_);
  parallel::parallel_for(a.rows(), n_threads_, [&](std::size_t row, int) {
    std::vector<float> values(a.columns()), other(a.columns());
    a.get(row, 0, values);
    b.get(row, 0, other);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] -= other[i];
    difference_.set_row(row, values);
  });
  return difference_;
}

}  // namespace lq::calibration
