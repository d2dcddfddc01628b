#include "tools/lq-calibrate/estimate.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "common/linalg/product.h"

namespace lq::calibrate {
namespace {

using calibration::GramKind;

struct Shape {
  explicit Shape(const model::ModelConfig& config)
      : hidden(static_cast<double>(config.hidden)),
        ffn(static_cast<double>(config.ffn)),
        q(static_cast<double>(config.n_heads * config.head_dim)),
        kv(static_cast<double>(config.n_kv_heads * config.head_dim)),
        layers(static_cast<double>(config.n_layers)) {}

  double layer_weights() const { return hidden * (2 * q + 2 * kv) + 3 * hidden * ffn; }

  double hidden, ffn, q, kv, layers;
};

double gram_elements(const Job& job) {
  double elements = 0;
  for (const calibration::SiteShape& shape : job.description.layer_sites) {
    elements += static_cast<double>(calibration::gram_elems(job.settings.kind, shape.width));
  }
  return elements;
}

/// Positions that a token looks back on, on average.
double mean_context(const Job& job) {
  double sum = 0, tokens = 0;
  for (const calibration::Lane& lane : job.lanes) {
    for (const calibration::Batch& batch : lane.batches) {
      for (const std::size_t n : batch.windows.lengths) {
        sum += static_cast<double>(n) * static_cast<double>(n) / 2;
        tokens += static_cast<double>(n);
      }
    }
  }
  return tokens > 0 ? sum / tokens : 0;
}

}  // namespace

std::uint64_t needed_memory(const Job& job) {
  // The program and its libraries with their scratch memory, and the embeddings' rows of a batch.
  constexpr double kProgram = 160.0 * (1 << 20);
  const Shape shape(job.checkpoint.config);
  const double element = job.settings.compute == linalg::Compute::kBf16 ? 2 : 4;
  const auto batch = static_cast<double>(calibration::largest_batch(job.lanes));
  const double widest = std::max({shape.ffn, shape.q, shape.hidden});
  // Hidden states, the values of the widest step in float32 and rounded, their transpose.
  const double values = batch * (3 * 4 * shape.hidden + 4 * (shape.q + 2 * shape.kv) +
                                 2 * 4 * shape.ffn + 3 * element * widest);
  const double weights = element * shape.layer_weights();
  const auto stats = static_cast<double>(
      calibration::layer_stats_bytes(job.description.layer_sites, job.settings.kind));
  const double passing = values + (job.lanes.size() > 1 ? 2 : 1) * stats;
  const double encoding = stats + 4 * gram_elements(job) / 2;
  return static_cast<std::uint64_t>(kProgram + weights + std::max(passing, encoding));
}

double multiply_adds(const Job& job) {
  const Shape shape(job.checkpoint.config);
  const double of_token =
      shape.layer_weights() + 2 * mean_context(job) * shape.q + gram_elements(job) / 2;
  double tokens = 0;
  for (const calibration::Lane& lane : job.lanes) tokens += static_cast<double>(lane.n_tokens());
  return tokens * shape.layers * of_token;
}

double estimated_seconds(const Job& job) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kRows = 512, kInner = 2048, kColumns = 2048;
  constexpr double kShareOfProducts = 0.7;  // of the time, as bench/forward measures it
  const linalg::Matrix a(kRows, kInner, job.settings.compute);
  const linalg::Matrix b(kColumns, kInner, job.settings.compute);
  std::vector<float> c(kRows * kColumns);
  const auto once = [&] {
    const auto begin = Clock::now();
    linalg::multiply(a, b, c.data(), linalg::Into::kReplace, job.settings.n_threads);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  once();  // prepares the product
  const double seconds = std::min({once(), once(), once()});
  return job.multiply_adds * seconds / (kRows * kInner * double{kColumns}) / kShareOfProducts;
}

}  // namespace lq::calibrate
