#include "common/calibrate/estimate.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <vector>

#include "common/base/text.h"
#include "common/linalg/product.h"

namespace lq::calibrate {
namespace {

using calibration::GramKind;

struct Shape {
  explicit Shape(const model::ModelConfig& config)
      : hidden(static_cast<double>(config.hidden)),
        ffn(static_cast<double>(config.ffn)),
        q(static_cast<double>(config.n_heads * config.head_dim)),
        kv(static_cast<double>(config.n_kv_heads * config.head_dim)) {}

  double layer_weights() const { return hidden * (2 * q + 2 * kv) + 3 * hidden * ffn; }

  double hidden, ffn, q, kv;
};

double gram_elements(const Job& job, GramKind kind) {
  double elements = 0;
  for (const calibration::SiteShape& shape : job.description.layer_sites) {
    elements += static_cast<double>(calibration::gram_elems(kind, shape.width));
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

linalg::Matrix zeros(std::size_t rows, std::size_t columns, linalg::Compute compute) {
  linalg::Matrix matrix(rows, columns, compute);
  const std::vector<float> row(columns);
  for (std::size_t i = 0; i < rows; ++i) matrix.set_row(i, row);
  return matrix;
}

std::size_t longest_window(const Job& job) {
  std::size_t longest = 0;
  for (const calibration::Lane& lane : job.lanes) {
    for (const calibration::Batch& batch : lane.batches) {
      longest = std::max(longest, std::ranges::max(batch.windows.lengths));
    }
  }
  return longest;
}

std::uint64_t memory_of(const Job& job, GramKind kind, int n_threads) {
  // The program and its libraries with their scratch memory, and the embeddings' rows of a batch.
  constexpr double kProgram = 128.0 * (1 << 20);
  const auto stats =
      static_cast<double>(calibration::layer_stats_bytes(job.description.layer_sites, kind));
  if (job.importance) return static_cast<std::uint64_t>(kProgram + 3 * stats);
  const Shape shape(job.checkpoint.config);
  const linalg::Compute compute = job.settings.compute;
  const std::size_t batch = calibration::largest_batch(job.lanes);
  const double widest = std::max({shape.ffn, shape.q, shape.hidden});
  // Hidden states as they are read and written, what a step makes of them, their transposes.
  double values = static_cast<double>(3 * sizeof(float) * batch) * shape.hidden +
                  static_cast<double>(forward::LayerPass::bytes(
                      job.checkpoint.config, compute, batch, longest_window(job), n_threads));
  if (kind != GramKind::kNone) {
    values += static_cast<double>(
        linalg::GramProducts::bytes(batch, static_cast<std::size_t>(widest), compute, n_threads));
  }
  const double weights =
      static_cast<double>(linalg::element_bytes(compute)) * shape.layer_weights();
  // The sums of a lane beside those of lanes before it, or a layer's file, plain and compressed.
  const double beside =
      std::max(job.lanes.size() > 1 ? stats : 0,
               2 * (gram_elements(job, kind) +
                    2 * static_cast<double>(job.settings.sample_tokens) * shape.hidden));
  return static_cast<std::uint64_t>(kProgram + weights + values + stats + beside);
}

}  // namespace

std::uint64_t needed_memory(const Job& job) {
  return memory_of(job, job.settings.kind, job.settings.n_threads);
}

std::string memory_advice(const Job& job) {
  std::string advice = "free memory, or allow more with --memory";
  const auto add = [&](const char* option, GramKind kind, int n_threads) {
    const std::uint64_t bytes = memory_of(job, kind, n_threads);
    if (bytes < needed_memory(job)) {
      advice += fmt::format("; {} needs {}", option, base::format_bytes(bytes));
    }
  };
  add("-j 1", job.settings.kind, 1);
  for (const GramKind kind : {GramKind::kBlock, GramKind::kNone}) {
    if (kind >= job.settings.kind) continue;
    add(fmt::format("--stats {}", calibration::gram_kind_name(kind)).c_str(), kind,
        job.settings.n_threads);
  }
  if (!job.lanes.empty() && longest_window(job) > calibration::kBatchTokens) {
    advice += "; shorter windows (--seq-len) need less";
  }
  return advice;
}

double multiply_adds(const Job& job) {
  const Shape shape(job.checkpoint.config);
  const double of_token = shape.layer_weights() + 2 * mean_context(job) * shape.q +
                          gram_elements(job, job.settings.kind) / 2;
  double tokens = 0;  // each counted in every layer that it passes
  for (const stage::Unit& unit : job.plan.units) tokens += static_cast<double>(unit.tokens);
  return tokens * of_token;
}

double estimated_seconds(const Job& job) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kRows = 512, kInner = 2048, kColumns = 2048;
  constexpr double kShareOfProducts = 0.7;  // of the time, as bench/forward measures it
  const linalg::Matrix a = zeros(kRows, kInner, job.settings.compute);
  const linalg::PackedMatrix b =
      linalg::packed(zeros(kColumns, kInner, job.settings.compute), job.settings.n_threads);
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
