#pragma once
// Plain number formats: each element for itself, no scales.

#include <cstddef>

#include "common/codec/codec.h"

namespace lq::codec {

void encode_f32(const Rows& rows, std::byte* out);
void encode_f16(const Rows& rows, std::byte* out);
void encode_bf16(const Rows& rows, std::byte* out);

void decode_f32(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_f16(const std::byte* blocks, float* out, std::size_t n_elems);
void decode_bf16(const std::byte* blocks, float* out, std::size_t n_elems);

/// Integers and F64: the nearest float32.
template <class Number>
void decode_numbers(const std::byte* blocks, float* out, std::size_t n_elems);

}  // namespace lq::codec
