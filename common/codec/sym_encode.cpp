#include "common/codec/sym_encode.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/kernels/absmax.h"

namespace lq::codec {

std::vector<float> search_weights(const Rows& rows) {
  const std::span<const float> importance(rows.importance,
                                          static_cast<std::size_t>(rows.row_elems));
  const float largest = *std::ranges::max_element(importance);
  const int shift = largest > 0.0F ? -std::ilogb(largest) : 0;
  constexpr float kFloor = 0x1p-40F;
  std::vector<float> weights(importance.size());
  std::ranges::transform(importance, weights.begin(),
                         [&](float value) { return std::max(kFloor, std::ldexp(value, shift)); });
  return weights;
}

void check_half_range(const Rows& rows, float multiple, std::string_view name) {
  // From 65520 on the nearest float16 is infinity.
  check_range(rows, 65520.0F * multiple, 65504.0F * multiple, name);
}

void check_range(const Rows& rows, float limit, float largest, std::string_view name) {
  const std::span<const float> values(rows.x,
                                      static_cast<std::size_t>(rows.n_rows * rows.row_elems));
  if (kernels::largest_magnitude(values) < limit) return;
  const auto first = std::ranges::find_if(values, [&](float v) { return std::fabs(v) >= limit; });
  const auto index = first - values.begin();
  throw base::ConversionError(
      fmt::format("cannot encode row {}, column {} as {}", rows.first_row + index / rows.row_elems,
                  index % rows.row_elems, name),
      fmt::format("the value {} is beyond {}, the largest that the type holds", *first, largest),
      "choose a type with a wider range for this tensor, BF16 or F32");
}

void encode_super_blocks(const Rows& rows, SuperBlockSearch search, PackBlock pack,
                         std::size_t block_bytes, std::byte* out) {
  const std::vector<float> weights =
      rows.importance == nullptr ? std::vector<float>() : search_weights(rows);
  kernels::SymSuperBlock found;
  tensor::BlockGrid grid;
  for (std::int64_t row = 0; row < rows.n_rows; ++row) {
    for (std::int64_t column = 0; column < rows.row_elems; column += 256) {
      search(rows.x + row * rows.row_elems + column,
             weights.empty() ? nullptr : weights.data() + column, found);
      grid.d = load_half(found.d);
      std::ranges::copy(found.scales, grid.sub_scale.begin());
      pack(grid, std::span(found.codes), out);
      out += block_bytes;
    }
  }
}

void encode_blocks32(const Rows& rows, BlockSearch search, PackBlock pack, std::size_t block_bytes,
                     std::byte* out) {
  const std::vector<float> weights = search_weights(rows);
  const std::int64_t n_blocks = rows.n_rows * rows.row_elems / 32;
  kernels::SymBlocks32 found;
  const float* block_weights[kernels::kSymLanes];
  tensor::BlockGrid grid;
  for (std::int64_t first = 0; first < n_blocks; first += kernels::kSymLanes) {
    const int n = static_cast<int>(std::min<std::int64_t>(kernels::kSymLanes, n_blocks - first));
    for (int b = 0; b < n; ++b) {
      block_weights[b] = weights.data() + (first + b) * 32 % rows.row_elems;
    }
    search(rows.x + first * 32, block_weights, n, found);
    for (int b = 0; b < n; ++b, out += block_bytes) {
      grid.d = load_half(found.d[b]);
      pack(grid, std::span(found.codes + 32 * b, 32), out);
    }
  }
}

void encode_absmax_signed(const Rows& rows, int half_codes, PackBlock pack, std::size_t block_bytes,
                          std::byte* out) {
  constexpr std::size_t kBatch = 64;
  float d[kBatch];
  std::uint8_t codes[kBatch * 32];
  tensor::BlockGrid grid;
  const float* x = rows.x;
  for (auto left = static_cast<std::size_t>(rows.n_rows * rows.row_elems / 32); left > 0;) {
    const std::size_t n = std::min(kBatch, left);
    kernels::absmax_signed(x, n, half_codes, d, codes);
    for (std::size_t b = 0; b < n; ++b, out += block_bytes) {
      grid.d = d[b];
      pack(grid, std::span(codes + 32 * b, 32), out);
    }
    x += n * 32;
    left -= n;
  }
}

}  // namespace lq::codec
