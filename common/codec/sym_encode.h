#pragma once
// What the encoders of the symmetric types share: weights from importance, range checks, the walk
// over super-blocks and over blocks of 32.

#include <vector>

#include "common/codec/block.h"
#include "common/codec/codec.h"
#include "common/kernels/sym_search.h"

namespace lq::codec {

/// Importance as the searches want it: scaled by a power of two (exact) so that the largest lies in
/// [1, 2), which keeps sums of squares inside float32, and never quite zero.
std::vector<float> search_weights(const Rows& rows);

/// Throws ConversionError naming the first value whose magnitude is more than `multiple` times what
/// float16 can hold after rounding: the type `name` could not store its scale.
void check_half_range(const Rows& rows, float multiple, std::string_view name);
/// The same for any largest value: `limit` is the least magnitude that would become infinite.
void check_range(const Rows& rows, float limit, float largest, std::string_view name);

using SuperBlockSearch = void (*)(const float*, const float*, kernels::SymSuperBlock&);
using PackBlock = void (*)(const tensor::BlockGrid&, std::span<const std::uint8_t>, std::byte*);

/// Searches and packs every super-block of `rows`.
void encode_super_blocks(const Rows& rows, SuperBlockSearch search, PackBlock pack,
                         std::size_t block_bytes, std::byte* out);

/// Scales every block of 32 by its largest magnitude, as llama.cpp does without importance: codes
/// 0..2 * half_codes - 1.
void encode_absmax_signed(const Rows& rows, int half_codes, PackBlock pack, std::size_t block_bytes,
                          std::byte* out);

using BlockSearch = void (*)(const float*, const float* const*, int, kernels::SymBlocks32&);

/// Searches and packs every block of 32 of `rows`, which have importance.
void encode_blocks32(const Rows& rows, BlockSearch search, PackBlock pack, std::size_t block_bytes,
                     std::byte* out);

}  // namespace lq::codec
