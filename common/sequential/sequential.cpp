#include "common/sequential/sequential.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <fmt/format.h>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/linalg/gram.h"
#include "common/linalg/packed_matrix.h"
#include "common/model/architecture.h"
#include "common/solve/sampled_rows.h"

namespace lq::sequential {
namespace {

using forward::Site;
using model::TensorRole;

std::size_t n_folds_at(std::size_t width) { return width > kManyColumns ? kFolds / 2 : kFolds; }

/// The matrices that read a site, those that the model has.
std::vector<SequentialSite::Matrix> matrices_at(const calibration::SiteRow& row, int layer,
                                                const forward::WeightSource& weights) {
  std::vector<SequentialSite::Matrix> matrices;
  std::size_t n_rows = 0;
  for (const TensorRole role : row.readers) {
    const tensor::Shape shape = weights.shape({role, layer});
    if (shape.empty()) continue;
    matrices.push_back({role, n_rows, static_cast<std::size_t>(shape.front())});
    n_rows += matrices.back().rows;
  }
  return matrices;
}

std::size_t rows_of(const SequentialSite& site) {
  return site.matrices.back().first_row + site.matrices.back().rows;
}

std::size_t columns_of(const SequentialSite& site) { return site.importance.size(); }

/// A linear layer of the original with other values in its matrix.
class OtherValues : public forward::WeightSource {
 public:
  OtherValues(const forward::WeightSource& original, const solve::ReadRows& values)
      : original_(original), values_(values) {}

  tensor::Shape shape(const forward::WeightKey& key) const override { return original_.shape(key); }
  void read(const forward::WeightKey& key, std::size_t first, std::span<float> out) const override {
    if (key.is_bias) return original_.read(key, first, out);
    const auto columns = static_cast<std::size_t>(shape(key).back());
    values_(first / columns, out.size() / columns, out.data());
  }

 private:
  const forward::WeightSource& original_;
  const solve::ReadRows& values_;
};

/// The linear layers of a decoder layer, by what a table of tensors says.
struct LinearShape {
  const calibration::SiteRow* site;
  std::size_t rows, columns;
};
std::vector<LinearShape> linear_shapes(const model::ModelConfig& config) {
  std::vector<LinearShape> shapes;
  for (const model::TensorRow& row : model::find_architecture(config).tensors) {
    const calibration::SiteRow* const site = calibration::site_of(row.role);
    if (site == nullptr || !site->per_layer) continue;
    shapes.push_back({site, static_cast<std::size_t>(model::extent_of(row.rows, config)),
                      static_cast<std::size_t>(model::extent_of(row.columns, config))});
  }
  return shapes;
}

/// What malloc keeps of smaller blocks that were given back, as measured: large ones go back to the
/// system.
constexpr std::uint64_t kKeptByMalloc = std::uint64_t{64} << 20;

/// Both layers, and what passes of so many tokens through them take.
std::uint64_t streams_bytes(const model::ModelConfig& config,
                            const calibration::TokenWindows& windows, linalg::Compute compute,
                            int n_threads) {
  const std::size_t batch =
      calibration::largest_batch(calibration::deal_lanes(windows.ids, windows.offsets, kFolds));
  std::size_t longest = 0, widest = static_cast<std::size_t>(config.hidden);
  for (std::size_t i = 0; i < windows.n_windows(); ++i) {
    longest = std::max(longest, windows.window(i).size());
  }
  std::uint64_t layer = 0;
  for (const LinearShape& shape : linear_shapes(config)) {
    layer += linalg::PackedMatrix::bytes(shape.rows, shape.columns, compute);
    widest = std::max(widest, shape.columns);
  }
  const std::uint64_t pass = forward::LayerPass::bytes(config, compute, batch, longest, n_threads) +
                             batch * (sizeof(float) * static_cast<std::size_t>(config.hidden) +
                                      linalg::element_bytes(compute) * widest);
  return 2 * (layer + pass) + batch * widest * linalg::element_bytes(compute) +
         linalg::GramProducts::bytes(batch, widest, compute, n_threads);
}

std::string note_of(const Strength& strength, std::size_t n_windows) {
  if (n_windows < kFolds) {
    return fmt::format("no correction: {} of the {} windows that it needs at least", n_windows,
                       kFolds);
  }
  if (strength.is_needed && strength.n_folds == 0) {
    return "no correction: the statistics of all but the held-out windows have no factor";
  }
  return "";
}

}  // namespace

SequentialPass::SequentialPass(const model::ModelConfig& config,
                               const forward::WeightSource& original,
                               const calibration::TokenWindows& windows,
                               SequentialSettings settings)
    : config_(config),
      weights_(original),
      settings_(std::move(settings)),
      n_windows_(windows.n_windows()),
      lanes_(calibration::deal_lanes(windows.ids, windows.offsets, kFolds)),
      streams_(config, lanes_,
               {settings_.compute, settings_.folder, settings_.tag, settings_.n_threads}) {}

bool SequentialPass::can_begin(int layer) const { return layer == 0 || streams_.has_states(layer); }

void SequentialPass::begin_layer(int layer) {
  if (!can_begin(layer)) {
    throw base::CheckpointError(
        fmt::format("cannot go on with layer {}", layer),
        fmt::format("the hidden states that enter it are not in {}, or of another run",
                    base::shown(settings_.folder)),
        "begin anew with --no-resume: quantized layers cannot be used without the states that they "
        "left");
  }
  if (!streams_.has_states(layer)) streams_.embed(weights_, weights_);
  site_ = {};
  targets_ = {};
  layer_ = layer;
  original_ = {};  // before the next one takes memory
  quantized_ = {};
  original_ = forward::load_layer(weights_, config_, layer, settings_.compute, settings_.n_threads);
  quantized_ = original_;
}

const SequentialSite& SequentialPass::open_site(Site site) {
  site_ = {};  // before the next one takes memory
  targets_ = {};
  site_.row = &calibration::site_row(site);
  site_.matrices = matrices_at(*site_.row, layer_, weights_);
  const auto width = static_cast<std::size_t>(model::extent_of(site_.row->width, config_));
  site_.importance.resize(width);
  const std::size_t n_folds = n_windows_ < kFolds ? 1 : n_folds_at(width);
  SiteSums sums(width, n_folds, n_folds > 1 ? sample() : SiteSums::Sample{}, settings_.n_threads);
  streams_.at(layer_, site, original_, quantized_,
              [&](std::size_t lane, calibration::CrossProducts& of_lane) {
                sums.add(lane % n_folds, of_lane);
              });
  site_.strength = sums.held_out(settings_.damping);
  site_.note = note_of(site_.strength, n_windows_);
  {
    linalg::AlignedVector<float> gram = sums.take_gram();
    for (std::size_t i = 0; i < width; ++i) site_.importance[i] = double{gram[i * width + i]};
    require_finite();
    site_.h.emplace(std::move(gram), width, settings_.damping, settings_.places_by_importance,
                    settings_.n_threads);
  }
  if (!site_.h->is_solvable()) {
    site_.strength.c = 0;
    site_.note = "no correction: the statistics have no factor";
  } else if (site_.strength.c > 0) {
    targets_ = sums.take_targets(
        *site_.h, site_.strength.c, rows_of(site_),
        [this](std::size_t first, std::size_t n, float* out) { read_rows(first, n, out); });
  }
  return site_;
}

SiteSums::Sample SequentialPass::sample() const {
  SiteSums::Sample sample;
  sample.rows = solve::sampled_rows(rows_of(site_), kSampledRows);
  sample.weights.reshape(sample.rows.size(), columns_of(site_), linalg::Compute::kF32);
  std::vector<float> row(columns_of(site_));
  for (std::size_t i = 0; i < sample.rows.size(); ++i) {
    read_rows(sample.rows[i], 1, row.data());
    sample.weights.set_row(i, row);
  }
  return sample;
}

/// Rows of the original matrices, one below the other.
void SequentialPass::read_rows(std::size_t first, std::size_t n, float* out) const {
  const std::size_t columns = columns_of(site_);
  for (const SequentialSite::Matrix& matrix : site_.matrices) {
    const std::size_t begin = std::max(first, matrix.first_row);
    const std::size_t end = std::min(first + n, matrix.first_row + matrix.rows);
    if (begin >= end) continue;
    weights_.read({matrix.role, layer_}, (begin - matrix.first_row) * columns,
                  {out + (begin - first) * columns, (end - begin) * columns});
  }
}

const SequentialSite::Matrix& SequentialPass::find(TensorRole role) const {
  const auto found = std::ranges::find(site_.matrices, role, &SequentialSite::Matrix::role);
  assert(found != site_.matrices.end());
  return *found;
}

void SequentialPass::require_finite() const {
  const auto wrong =
      std::ranges::find_if_not(site_.importance, [](double x) { return std::isfinite(x); });
  if (wrong == site_.importance.end()) return;
  throw base::ConversionError(
      fmt::format("cannot quantize layer {} in the order of the layers", layer_),
      fmt::format("channel {} of {} has values that are not finite, or too large to be squared",
                  wrong - site_.importance.begin(), site_.row->name),
      "calibrate with --compute f32; if that fails too, quantize without --sequential");
}

solve::ReadRows SequentialPass::target(TensorRole role) const {
  const std::size_t offset = find(role).first_row, columns = columns_of(site_);
  return [this, offset, columns](std::size_t first, std::size_t n, float* out) {
    if (targets_.empty()) {
      read_rows(offset + first, n, out);
    } else {
      std::copy_n(targets_.data() + (offset + first) * columns, n * columns, out);
    }
  };
}

void SequentialPass::put(TensorRole role, const solve::ReadRows& values) {
  forward::Linear& linear = quantized_.linear(role);
  linear = {};  // before the next one takes memory
  linear = forward::load_linear(OtherValues(weights_, values), config_, role, layer_,
                                settings_.compute, settings_.n_threads);
}

void SequentialPass::put(TensorRole role, const tensor::QuantizedMatrix& matrix) {
  put(role, [&](std::size_t first, std::size_t n, float* out) {
    for (std::size_t row = first; row < first + n; ++row) {
      for (std::size_t column = 0; column < matrix.columns; ++column) {
        *out++ = matrix.value(row, column);
      }
    }
  });
}

void SequentialPass::end_layer() {
  site_ = {};
  targets_ = {};
  streams_.end_layer(layer_, original_, quantized_);
}

SequentialMemory sequential_memory(const model::ModelConfig& config,
                                   const calibration::TokenWindows& windows,
                                   linalg::Compute compute, bool places_by_importance,
                                   int n_threads) {
  SequentialMemory memory;
  for (const calibration::SiteShape& shape : calibration::site_shapes(config, false)) {
    std::size_t rows = 0;
    for (const LinearShape& linear : linear_shapes(config)) {
      if (linear.site == shape.row) rows += linear.rows;
    }
    const std::size_t d = shape.width;
    const bool has_residual = shape.row->feeds_residual;
    const std::size_t residual_rows = has_residual ? rows : 0;
    const std::uint64_t sums = SiteSums::bytes(d, residual_rows, n_folds_at(d));
    const std::uint64_t cross = SiteSums::cross_bytes(d, residual_rows);
    const std::uint64_t targets = sizeof(float) * std::uint64_t{rows} * d;
    const std::uint64_t gram = sizeof(float) * std::uint64_t{d} * d;
    const std::uint64_t factored = solve::FactoredGram::bytes(d, places_by_importance);
    const std::uint64_t solving = factored + targets;
    memory.solving = std::max(memory.solving, solving);
    memory.peak = std::max(
        {memory.peak, solving,
         sums + calibration::CrossProducts::bytes(d, residual_rows, has_residual),
         sums + SiteSums::held_out_bytes(d, n_threads), sums + gram,
         cross + factored + (has_residual ? 0 : targets) + SiteSums::targets_bytes(d, n_threads)});
  }
  const std::uint64_t streams = streams_bytes(config, windows, compute, n_threads) + kKeptByMalloc;
  memory.peak += streams;
  memory.solving += streams;
  return memory;
}

}  // namespace lq::sequential
