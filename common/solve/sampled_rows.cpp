#include "common/solve/sampled_rows.h"

#include <algorithm>
#include <cstdint>

namespace lq::solve {

std::vector<std::size_t> sampled_rows(std::size_t rows, std::size_t n) {
  n = std::min(rows, n);
  std::vector<std::size_t> sampled(n);
  for (std::size_t i = 0; i < n; ++i) {
    // Multiples of the golden ratio are spread evenly between 0 and 1 (here 0 and 2^32).
    const std::uint64_t place = i * 2654435769U % (std::uint64_t{1} << 32);
    const std::size_t first = i * rows / n, end = (i + 1) * rows / n;
    sampled[i] = first + static_cast<std::size_t>(place * (end - first) >> 32);
  }
  return sampled;
}

}  // namespace lq::solve
