#pragma once
// Encoding of the types with a minimum (Q2_K, Q4_K, Q5_K, Q4_1, Q5_1): one search for all,
// kernels/affine_search.h; only the fields of a block and their packing differ.
//
// Without importance the sum of squared errors is made small, with importance the sum weighted by
// it. Q4_1 and Q5_1 without importance have no search: they take the grid from the smallest to the
// largest element, as ggml does, to the byte.

#include <cstddef>

#include "common/codec/codec.h"

namespace lq::codec {

// Each is the `encode` of its codec (codec.h). Throws ConversionError for a value whose block would
// need a scale or minimum beyond float16.
void encode_q2_k(const Rows& rows, std::byte* out);
void encode_q4_k(const Rows& rows, std::byte* out);
void encode_q5_k(const Rows& rows, std::byte* out);
void encode_q4_1(const Rows& rows, std::byte* out);
void encode_q5_1(const Rows& rows, std::byte* out);

}  // namespace lq::codec
