#include "tools/lq-quant-gguf/estimate.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "common/codec/codec.h"
#include "common/parallel/memory.h"

namespace lq::quant_gguf {
namespace {

constexpr double kDiskBytesPerSecond = 500e6;

/// The best of a few runs, so that a busy machine does not make it look slow.
double seconds_per_element(const codec::Codec& codec, bool weighted) {
  constexpr std::int64_t kRows = 16, kColumns = 1024;
  static const std::vector<float> rows = [] {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0.0F, 0.02F);
    std::vector<float> values(kRows * kColumns);
    for (float& value : values) value = normal(random);
    return values;
  }();
  static const std::vector<float> importance(kColumns, 1.0F);
  std::vector<std::byte> blocks(codec.bytes_for(rows.size()));
  double best = 1;
  for (int run = 0; run < 3; ++run) {
    const auto start = std::chrono::steady_clock::now();
    codec.encode({rows.data(), kRows, kColumns, weighted ? importance.data() : nullptr},
                 blocks.data());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best / static_cast<double>(rows.size());
}

}  // namespace

double estimated_seconds(const Job& job, int n_threads) {
  std::map<std::pair<codec::QuantType, bool>, double> elements;
  std::uint64_t disk_bytes = job.plan.read_bytes;
  for (const ResultFile& result : job.results) {
    for (std::size_t t = 0; t < job.tensors.size(); ++t) {
      const model::GgufTensor& tensor = job.tensors[t];
      elements[{result.contents.choices[t].type, job.importance_of(t) != nullptr}] +=
          static_cast<double>(tensor.n_rows() * tensor.row_elems());
      disk_bytes += result.contents.tensors[t].n_bytes();
    }
  }
  double work = 0;
  for (const auto& [kind, n] : elements) {
    work += n * seconds_per_element(codec::codec(kind.first), kind.second);
  }
  return std::max(work / std::min(n_threads, parallel::allowed_cpus()),
                  static_cast<double>(disk_bytes) / kDiskBytesPerSecond);
}

}  // namespace lq::quant_gguf
