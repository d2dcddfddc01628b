// Tensors that are copied: as they are, or in the float type of the result.

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/hf/directory_layout.h"
#include "common/kernels/convert.h"

namespace lq::hf {
namespace {

using tensor::DType;

// Converted in slices that stay in the second-level cache.
constexpr std::size_t kSliceElems = std::size_t{1} << 16;

[[noreturn]] void fail_not_finite(const CopiedPiece& piece, std::uint64_t element, float value) {
  throw base::ValidationError(
      fmt::format("cannot copy {}", base::escape_controls(piece.source->name)),
      fmt::format("its element {} is {}", element,
                  std::isnan(value) ? "not a number" : "infinite, or beyond float32"),
      "the model is damaged: fetch it again, or ask its makers");
}

/// Rounds the elements from `first` on of the tensor `name`.
void narrow(const std::string& name, std::uint64_t first, std::span<const float> values,
            DType dtype, std::span<std::byte> out) {
  const bool half = dtype == DType::kF16;
  if (half) {
    kernels::narrow_to_f16(values, out.data());
  } else {
    kernels::narrow_to_bf16(values, out.data());
  }
  std::vector<float> stored(values.size());
  const std::size_t bad = kernels::widen_to_f32(dtype, out, stored);
  if (bad == kernels::kAllFinite) return;
  throw base::UnsupportedError(
      fmt::format("cannot store {} as {}", base::escape_controls(name),
                  half ? "float16" : "bfloat16"),
      fmt::format("its element {} is {}, beyond the largest number of that type", first + bad,
                  values[bad]),
      half ? "choose --dtype bf16" : "the model is damaged: fetch it again, or ask its makers");
}

/// `in` and `out` are the elements from `first` on. REQUIRES: values.size() of them.
void convert(const CopiedPiece& piece, std::uint64_t first, std::span<const std::byte> in,
             std::span<float> values, std::span<std::byte> out) {
  const std::size_t bad = kernels::widen_to_f32(piece.source->dtype, in, values);
  if (bad != kernels::kAllFinite) fail_not_finite(piece, first + bad, values[bad]);
  narrow(piece.source->name, first, values, piece.stored, out);
}

}  // namespace

std::vector<std::byte> copied_bytes(const model::Checkpoint& checkpoint, const CopiedPiece& piece) {
  const auto bits = static_cast<std::uint64_t>(tensor::dtype_row(piece.source->dtype).bits);
  std::vector<std::byte> source((piece.n * bits + 7) / 8);
  checkpoint.weights->read(*piece.source, piece.first * bits / 8, source);
  if (!piece.is_float) return source;
  const std::size_t in_bytes = bits / 8, out_bytes = piece.place.size / piece.n;
  std::vector<std::byte> bytes(piece.place.size);
  std::vector<float> values(std::min<std::size_t>(piece.n, kSliceElems));
  for (std::uint64_t i = 0; i < piece.n; i += kSliceElems) {
    const std::size_t n = std::min<std::size_t>(kSliceElems, piece.n - i);
    convert(piece, piece.first + i, std::span(source).subspan(i * in_bytes, n * in_bytes),
            std::span(values).first(n), std::span(bytes).subspan(i * out_bytes, n * out_bytes));
  }
  return bytes;
}

std::vector<std::byte> float_bytes(const std::string& name, std::span<const float> values,
                                   DType dtype) {
  std::vector<std::byte> bytes(2 * values.size());
  narrow(name, 0, values, dtype, bytes);
  return bytes;
}

}  // namespace lq::hf
