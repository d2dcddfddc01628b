#include "common/codec/plain.h"

#include <cstdint>
#include <span>

#include "common/codec/block.h"
#include "common/codec/sym_encode.h"
#include "common/kernels/convert.h"

namespace lq::codec {
namespace {

void f16_one(const std::uint16_t& bits, float* out) { *out = tensor::f16_to_f32(bits); }
void bf16_one(const std::uint16_t& bits, float* out) { *out = tensor::bf16_to_f32(bits); }

template <class Number>
void number_one(const Number& number, float* out) {
  *out = static_cast<float>(number);
}

}  // namespace

void encode_f32(const Rows& rows, std::byte* out) {
  std::memcpy(out, rows.x, static_cast<std::size_t>(rows.n_rows * rows.row_elems) * sizeof(float));
}

void encode_f16(const Rows& rows, std::byte* out) {
  check_half_range(rows, 1.0F, "F16");
  kernels::narrow_to_f16({rows.x, static_cast<std::size_t>(rows.n_rows * rows.row_elems)}, out);
}

void encode_bf16(const Rows& rows, std::byte* out) {
  constexpr float kLimit = 0x1.FFp127F;  // half a step above the largest, and rounded to infinity
  check_range(rows, kLimit, 0x1.FEp127F, "BF16");
  kernels::narrow_to_bf16({rows.x, static_cast<std::size_t>(rows.n_rows * rows.row_elems)}, out);
}

void decode_f32(const std::byte* blocks, float* out, std::size_t n_elems) {
  std::memcpy(out, blocks, n_elems * sizeof(float));
}

void decode_f16(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<std::uint16_t, 1, f16_one>(blocks, out, n_elems);
}

void decode_bf16(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<std::uint16_t, 1, bf16_one>(blocks, out, n_elems);
}

template <class Number>
void decode_numbers(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<Number, 1, number_one<Number>>(blocks, out, n_elems);
}

template void decode_numbers<std::int8_t>(const std::byte*, float*, std::size_t);
template void decode_numbers<std::int16_t>(const std::byte*, float*, std::size_t);
template void decode_numbers<std::int32_t>(const std::byte*, float*, std::size_t);
template void decode_numbers<std::int64_t>(const std::byte*, float*, std::size_t);
template void decode_numbers<double>(const std::byte*, float*, std::size_t);

}  // namespace lq::codec
