#include "common/kernels/convert.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "common/kernels/convert_detail.h"
#include "common/kernels/target.h"
#include "common/tensor/convert.h"

namespace lq::kernels {
namespace {

using tensor::DType;

// Blocks that stay in the first-level cache between conversion and scan.
constexpr std::size_t kScanElems = 2048;

std::size_t scan_plain(std::span<const float> values) {
  const auto at = std::ranges::find_if(values, [](float v) { return !std::isfinite(v); });
  return at == values.end() ? kAllFinite : static_cast<std::size_t>(at - values.begin());
}

// All 256 values of an 8-bit kind.
std::array<float, 256> table_of(DType dtype) {
  std::array<std::byte, 256> codes;
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::byte>(i);
  std::array<float, 256> values;
  tensor::widen_to_f32(dtype, codes, values);
  return values;
}

void widen_by_table(DType dtype, std::span<const std::byte> in, std::span<float> out) {
  const std::array<float, 256> values = table_of(dtype);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = values[std::to_integer<std::size_t>(in[i])];
}

void widen_block(DType dtype, std::span<const std::byte> in, std::span<float> out) {
  std::size_t done = 0;
  if (dtype == DType::kF16) {
    done = detail::widen_f16(in.data(), out.size(), out.data());
  } else if (dtype == DType::kBF16) {
    done = detail::widen_bf16(in.data(), out.size(), out.data());
  } else if (dtype == DType::kF32) {
    std::memcpy(out.data(), in.data(), in.size());
    return;
  }
  const std::size_t bytes = in.size() / std::max<std::size_t>(out.size(), 1);
  tensor::widen_to_f32(dtype, in.subspan(done * bytes), out.subspan(done));
}

template <std::uint16_t (*kNarrow)(float)>
void narrow_plain(std::span<const float> values, std::byte* out) {
  for (const float value : values) {
    const std::uint16_t bits = kNarrow(value);
    std::memcpy(out, &bits, sizeof(bits));
    out += sizeof(bits);
  }
}

}  // namespace

std::size_t first_non_finite(std::span<const float> values) {
  if (use_reference()) return scan_plain(values);
  const std::size_t step = detail::vector_elems();
  for (std::size_t i = 0; i < values.size(); i += kScanElems) {
    const auto block = values.subspan(i, std::min(kScanElems, values.size() - i));
    const std::size_t whole = block.size() / step * step;
    if (!detail::any_non_finite(block.data(), whole) &&
        scan_plain(block.subspan(whole)) == kAllFinite) {
      continue;
    }
    return i + scan_plain(block);
  }
  return kAllFinite;
}

std::size_t widen_to_f32(DType dtype, std::span<const std::byte> in, std::span<float> out) {
  if (use_reference()) {
    tensor::widen_to_f32(dtype, in, out);
    return scan_plain(out);
  }
  const int bits = tensor::dtype_row(dtype).bits;
  if (bits == 8 && out.size() >= 256) {
    widen_by_table(dtype, in, out);
    return first_non_finite(out);
  }
  const auto bytes = static_cast<std::size_t>(bits) / 8;
  std::size_t found = kAllFinite;
  for (std::size_t i = 0; i < out.size(); i += kScanElems) {
    const std::size_t n = std::min(kScanElems, out.size() - i);
    widen_block(dtype, in.subspan(i * bytes, n * bytes), out.subspan(i, n));
    if (found != kAllFinite) continue;
    const std::size_t at = first_non_finite(out.subspan(i, n));
    if (at != kAllFinite) found = i + at;
  }
  return found;
}

void narrow_to_f16(std::span<const float> values, std::byte* out) {
  const std::size_t done =
      use_reference() ? 0 : detail::narrow_f16(values.data(), values.size(), out);
  narrow_plain<tensor::f32_to_f16>(values.subspan(done), out + 2 * done);
}

void narrow_to_bf16(std::span<const float> values, std::byte* out) {
  const std::size_t done =
      use_reference() ? 0 : detail::narrow_bf16(values.data(), values.size(), out);
  narrow_plain<tensor::f32_to_bf16>(values.subspan(done), out + 2 * done);
}

}  // namespace lq::kernels
