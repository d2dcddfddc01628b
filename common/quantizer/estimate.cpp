#include "common/quantizer/estimate.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <vector>

#include "common/base/text.h"
#include "common/linalg/product.h"
#include "common/quantizer/module_solver.h"
#include "common/sequential/sequential.h"
#include "common/solve/solve.h"

namespace lq::quantizer {
namespace {

using hf::Module;

/// Multiplications with their additions in float32, of one group.
double multiply_adds(const Job& job, const Group& group) {
  double sum = 0;
  const calibration::SiteRow* factored = nullptr;
  const double tokens = static_cast<double>(job.windows.ids.size());
  for (const std::size_t m : group.modules) {
    const Module& module = job.module(m);
    if (!module.scheme) continue;
    const auto rows = static_cast<double>(module.rows);
    const auto columns = static_cast<double>(module.columns);
    // Ranges, as if they were products.
    sum += 300 * rows * columns;
    if (job.request.data_free) continue;
    // Error feedback, the errors of rounding in bfloat16, and each sweep.
    const int sweeps = job.request.nearest ? kClippingPasses : job.request.sweeps;
    sum += (0.8 + sweeps) * rows * columns * columns;
    const calibration::SiteRow* const site = calibration::site_of(module.role);
    if (job.request.sequential && group.layer >= 0) {
      // Targets; two forward passes.
      sum += 2 * rows * columns * columns + 2 * tokens * rows * columns;
    }
    if (site == factored) continue;
    factored = site;
    sum += columns * columns * columns / 6;  // the factor
    if (job.request.sequential && group.layer >= 0) {
      // Factors of folds, sums of products.
      sum += 4 * columns * columns * columns / 6 + 2.5 * tokens * columns * columns;
    }
  }
  return sum;
}

std::size_t widest(const Job& job) {
  std::size_t columns = 0;
  for (const Module& module : job.directory.facts.modules) {
    if (module.scheme) columns = std::max(columns, module.columns);
  }
  return columns;
}

/// Codes, and what is written of them, of the largest group.
std::uint64_t largest_group(const Job& job) {
  std::uint64_t largest = 0;
  for (const Group& group : job.groups) {
    std::uint64_t bytes = 0;
    for (const std::size_t m : group.modules) {
      const Module& module = job.module(m);
      if (module.scheme) bytes += 4 * std::uint64_t{module.rows} * module.columns;
    }
    largest = std::max(largest, bytes);
  }
  return largest;
}

double seconds_per_multiply_add(int n_threads) {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t kRows = 512, kInner = 1024, kColumns = 512;
  const auto zeros = [](std::size_t rows, std::size_t columns) {
    linalg::Matrix matrix(rows, columns, linalg::Compute::kF32);
    const std::vector<float> row(columns);
    for (std::size_t i = 0; i < rows; ++i) matrix.set_row(i, row);
    return matrix;
  };
  const linalg::Matrix a = zeros(kRows, kInner);
  const linalg::PackedMatrix b = linalg::packed(zeros(kColumns, kInner), n_threads);
  std::vector<float> c(kRows * kColumns);
  const auto once = [&] {
    const auto begin = Clock::now();
    linalg::multiply(a, b, c.data(), linalg::Into::kReplace, n_threads);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  once();  // prepares the product
  return std::min({once(), once(), once()}) / (double{kRows} * kInner * kColumns);
}

}  // namespace

std::uint64_t needed_memory(const Job& job, int n_threads) {
  // The program and its libraries with their scratch memory, and pieces that are copied.
  constexpr std::uint64_t kProgram = std::uint64_t{256} << 20;
  const std::size_t columns = widest(job);
  const auto threads = static_cast<std::uint64_t>(n_threads);
  const std::uint64_t solving = threads * solve::bytes_per_thread(columns) + largest_group(job);
  if (job.request.data_free) return kProgram + solving;
  const auto shapes = calibration::site_shapes(job.checkpoint.config, false);
  // A layer's statistics, and its file while it is read.
  const std::uint64_t stats = calibration::layer_stats_bytes(shapes, calibration::GramKind::kFull);
  const std::uint64_t preparing =
      job.request.preparation_bytes ? job.request.preparation_bytes(job, n_threads) : 0;
  if (job.request.sequential) {
    const sequential::SequentialMemory memory = sequential::sequential_memory(
        job.checkpoint.config, job.windows, job.compute(), job.directory.facts.desc_act, n_threads);
    return kProgram + std::max({memory.peak, memory.solving + solving, stats + preparing});
  }
  const std::uint64_t factored = solve::FactoredGram::bytes(columns, job.directory.facts.desc_act);
  return kProgram + stats + std::max({stats / 2, preparing, factored + solving});
}

std::string memory_advice(const Job& job, int n_threads) {
  std::string advice = "free memory, or allow more with --memory";
  if (n_threads > 1) {
    advice += fmt::format("; -j 1 needs {}", base::format_bytes(needed_memory(job, 1)));
  }
  if (job.request.sequential) advice += "; without --sequential less is needed";
  return advice;
}

double cost_of(const Job& job, const Group& group) {
  // In the time of a multiplication of a product, a core copies about so many bytes.
  constexpr double kBytesPerMultiplyAdd = 0.02;
  double bytes = 0;
  for (const std::size_t m : group.modules) {
    bytes += static_cast<double>(job.module(m).rows * job.module(m).columns) / 2;
  }
  return bytes + kBytesPerMultiplyAdd * multiply_adds(job, group);
}

double estimated_seconds(const Job& job, int n_threads) {
  constexpr double kShareOfProducts = 0.7;  // of the time
  double sum = 0;
  for (const Group& group : job.groups) sum += multiply_adds(job, group);
  return sum * seconds_per_multiply_add(n_threads) / kShareOfProducts;
}

}  // namespace lq::quantizer
