#include "common/calibration/two_streams.h"

#include "common/calibration/sites.h"
#include "common/parallel/parallel_for.h"

namespace lq::calibration {
namespace {

StreamSettings of_stream(const StreamSettings& settings, const char* name) {
  StreamSettings own = settings;
  own.folder /= name;
  own.tag = settings.tag + " " + name;
  return own;
}

}  // namespace

std::uint64_t CrossProducts::bytes(std::size_t d, std::size_t hidden, bool with_residual) {
  return sizeof(float) * (2 * d * d + (with_residual ? hidden * d : 0));
}

TwoStreams::TwoStreams(const model::ModelConfig& config, std::span<const Lane> lanes,
                       const StreamSettings& settings)
    : lanes_(lanes),
      hidden_(static_cast<std::size_t>(config.hidden)),
      compute_(settings.compute),
      n_threads_(settings.n_threads),
      original_(config, lanes, of_stream(settings, "original")),
      quantized_(config, lanes, of_stream(settings, "quantized")),
      products_(settings.n_threads) {}

bool TwoStreams::has_states(int layer) const {
  return original_.has_states(layer) && quantized_.has_states(layer);
}

void TwoStreams::embed(const forward::WeightSource& original,
                       const forward::WeightSource& quantized) {
  original_.embed(original);
  quantized_.embed(quantized);
}

void TwoStreams::at(int layer, forward::Site site, const forward::Layer& original,
                    const forward::Layer& quantized,
                    const std::function<void(std::size_t lane, CrossProducts& sums)>& take) {
  const bool with_residual = site_row(site).feeds_residual;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    original_.open(layer, site, lane);
    quantized_.open(layer, site, lane);
    sums_.count = 0;
    for (const Batch& batch : lanes_[lane].batches) {
      const HiddenStream::AtSite f = original_.next(original, batch);
      const HiddenStream::AtSite q = quantized_.next(quantized, batch);
      if (sums_.count == 0) {
        const std::size_t d = q.x->columns();
        sums_.gram.assign(d * d, 0.0F);
        sums_.cross.assign(d * d, 0.0F);
        sums_.residual_cross.assign(with_residual ? hidden_ * d : 0, 0.0F);
      }
      add(f, q);
    }
    original_.close();
    quantized_.close();
    if (sums_.count > 0) take(lane, sums_);
  }
}

void TwoStreams::end_layer(int layer, const forward::Layer& original,
                           const forward::Layer& quantized) {
  original_.end_layer(layer, original);
  quantized_.end_layer(layer, quantized);
}

void TwoStreams::forget_before(int layer) const {
  original_.forget_before(layer);
  quantized_.forget_before(layer);
}

void TwoStreams::add(const HiddenStream::AtSite& original, const HiddenStream::AtSite& quantized) {
  const linalg::Matrix& y = *quantized.x;
  sums_.count += static_cast<std::int64_t>(y.rows());
  products_.add(y, sums_.gram.data());
  products_.add_cross(difference(*original.x, y), y, sums_.cross.data());
  if (sums_.residual_cross.empty()) return;
  products_.add_cross(difference(original.h, quantized.h), y, sums_.residual_cross.data());
}

const linalg::Matrix& TwoStreams::difference(const linalg::Matrix& a, const linalg::Matrix& b) {
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

const linalg::Matrix& TwoStreams::difference(std::span<const float> a, std::span<const float> b) {
  const std::size_t rows = a.size() / hidden_;
  difference_.reshape(rows, hidden_, compute_);
  parallel::parallel_for(rows, n_threads_, [&](std::size_t row, int) {
    std::vector<float> values(hidden_);
    for (std::size_t i = 0; i < hidden_; ++i) {
      values[i] = a[row * hidden_ + i] - b[row * hidden_ + i];
    }
    difference_.set_row(row, values);
  });
  return difference_;
}

}  // namespace lq::calibration
