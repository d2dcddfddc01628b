#pragma once
// Decoding, grid and packing of the types with a minimum: x = d * scale * q - dmin * min.
// The blocks of 32 have one scale and one minimum, x = d * q + m, which is the same with dmin = -m.

#include "common/codec/block.h"
#include "common/codec/codec.h"

namespace lq::codec {

void decode_q4_1(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q4_1(const std::byte* block, tensor::BlockGrid& grid);
void codes_q4_1(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q4_1(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

void decode_q5_1(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q5_1(const std::byte* block, tensor::BlockGrid& grid);
void codes_q5_1(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q5_1(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

void decode_q2_k(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q2_k(const std::byte* block, tensor::BlockGrid& grid);
void codes_q2_k(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q2_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

void decode_q4_k(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q4_k(const std::byte* block, tensor::BlockGrid& grid);
void codes_q4_k(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q4_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

void decode_q5_k(const std::byte* blocks, float* out, std::size_t n_elems);
void grid_q5_k(const std::byte* block, tensor::BlockGrid& grid);
void codes_q5_k(const std::byte* block, std::span<std::uint8_t> codes);
void pack_q5_k(const tensor::BlockGrid& grid, std::span<const std::uint8_t> codes,
               std::byte* block);

}  // namespace lq::codec
