#include "common/fidelity/tensor_pair.h"

#include <algorithm>

namespace lq::fidelity {
namespace {

constexpr std::size_t kMostRows = 256, kLeastRows = 16, kMostElems = std::size_t{1} << 20;

}  // namespace

RowSample sample_rows(const TensorPair& pair) {
  RowSample sample;
  sample.columns = pair.columns;
  const std::size_t n =
      std::min(pair.rows, std::clamp(kMostElems / pair.columns, kLeastRows, kMostRows));
  sample.w.resize(n * pair.columns);
  sample.q.resize(n * pair.columns);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t row = i * pair.rows / n, place = i * pair.columns;
    sample.rows.push_back(row);
    pair.reference->read(pair.key, row * pair.columns,
                         std::span(sample.w).subspan(place, pair.columns));
    pair.result->read(row * pair.columns, std::span(sample.q).subspan(place, pair.columns));
  }
  return sample;
}

}  // namespace lq::fidelity
