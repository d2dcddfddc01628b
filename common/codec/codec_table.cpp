#include <algorithm>
#include <array>
#include <cassert>

#include "common/base/text.h"
#include "common/codec/affine_decode.h"
#include "common/codec/affine_encode.h"
#include "common/codec/codec.h"
#include "common/codec/fp4.h"
#include "common/codec/iq.h"
#include "common/codec/low_bit.h"
#include "common/codec/plain.h"
#include "common/codec/q2_k.h"
#include "common/codec/q3_k.h"
#include "common/codec/q4_0.h"
#include "common/codec/q4_1.h"
#include "common/codec/q4_k.h"
#include "common/codec/q5_0.h"
#include "common/codec/q5_1.h"
#include "common/codec/q5_k.h"
#include "common/codec/q6_k.h"
#include "common/codec/q8_0.h"

namespace lq::codec {
namespace {

constexpr bool kPlain = false;
constexpr bool kQuantized = true;

// type, name, elements and bytes of a block, quantized, encode, decode, grid, codes, pack
constexpr Codec kCodecs[] = {
    {QuantType::kF32, "F32", 1, 4, kPlain, encode_f32, decode_f32},
    {QuantType::kF16, "F16", 1, 2, kPlain, encode_f16, decode_f16},
    {QuantType::kQ4_0, "Q4_0", 32, 18, kQuantized, encode_q4_0, decode_q4_0, grid_q4_0, codes_q4_0,
     pack_q4_0},
    {QuantType::kQ4_1, "Q4_1", 32, 20, kQuantized, encode_q4_1, decode_q4_1, grid_q4_1, codes_q4_1,
     pack_q4_1},
    {QuantType::kQ5_0, "Q5_0", 32, 22, kQuantized, encode_q5_0, decode_q5_0, grid_q5_0, codes_q5_0,
     pack_q5_0},
    {QuantType::kQ5_1, "Q5_1", 32, 24, kQuantized, encode_q5_1, decode_q5_1, grid_q5_1, codes_q5_1,
     pack_q5_1},
    {QuantType::kQ8_0, "Q8_0", 32, 34, kQuantized, encode_q8_0, decode_q8_0, grid_q8_0, codes_q8_0,
     pack_q8_0},
    // Run-time formats of activations: known by their size, never in files.
    {QuantType::kQ8_1, "Q8_1", 32, 36, kQuantized},
    {QuantType::kQ2K, "Q2_K", 256, 84, kQuantized, encode_q2_k, decode_q2_k, grid_q2_k, codes_q2_k,
     pack_q2_k},
    {QuantType::kQ3K, "Q3_K", 256, 110, kQuantized, encode_q3_k, decode_q3_k, grid_q3_k, codes_q3_k,
     pack_q3_k},
    {QuantType::kQ4K, "Q4_K", 256, 144, kQuantized, encode_q4_k, decode_q4_k, grid_q4_k, codes_q4_k,
     pack_q4_k},
    {QuantType::kQ5K, "Q5_K", 256, 176, kQuantized, encode_q5_k, decode_q5_k, grid_q5_k, codes_q5_k,
     pack_q5_k},
    {QuantType::kQ6K, "Q6_K", 256, 210, kQuantized, encode_q6_k, decode_q6_k, grid_q6_k, codes_q6_k,
     pack_q6_k},
    {QuantType::kQ8K, "Q8_K", 256, 292, kQuantized},
    {QuantType::kIQ2XXS, "IQ2_XXS", 256, 66, kQuantized, nullptr, decode_iq2_xxs},
    {QuantType::kIQ2XS, "IQ2_XS", 256, 74, kQuantized, nullptr, decode_iq2_xs},
    {QuantType::kIQ3XXS, "IQ3_XXS", 256, 98, kQuantized, nullptr, decode_iq3_xxs},
    {QuantType::kIQ1S, "IQ1_S", 256, 50, kQuantized, nullptr, decode_iq1_s},
    {QuantType::kIQ4NL, "IQ4_NL", 32, 18, kQuantized, nullptr, decode_iq4_nl},
    {QuantType::kIQ3S, "IQ3_S", 256, 110, kQuantized, nullptr, decode_iq3_s},
    {QuantType::kIQ2S, "IQ2_S", 256, 82, kQuantized, nullptr, decode_iq2_s},
    {QuantType::kIQ4XS, "IQ4_XS", 256, 136, kQuantized, nullptr, decode_iq4_xs},
    {QuantType::kI8, "I8", 1, 1, kPlain, nullptr, decode_numbers<std::int8_t>},
    {QuantType::kI16, "I16", 1, 2, kPlain, nullptr, decode_numbers<std::int16_t>},
    {QuantType::kI32, "I32", 1, 4, kPlain, nullptr, decode_numbers<std::int32_t>},
    {QuantType::kI64, "I64", 1, 8, kPlain, nullptr, decode_numbers<std::int64_t>},
    {QuantType::kF64, "F64", 1, 8, kPlain, nullptr, decode_numbers<double>},
    {QuantType::kIQ1M, "IQ1_M", 256, 56, kQuantized, nullptr, decode_iq1_m},
    {QuantType::kBF16, "BF16", 1, 2, kPlain, encode_bf16, decode_bf16},
    {QuantType::kTQ1_0, "TQ1_0", 256, 54, kQuantized, nullptr, decode_tq1_0},
    {QuantType::kTQ2_0, "TQ2_0", 256, 66, kQuantized, nullptr, decode_tq2_0},
    {QuantType::kMXFP4, "MXFP4", 32, 17, kQuantized, nullptr, decode_mxfp4},
    {QuantType::kNVFP4, "NVFP4", 64, 36, kQuantized, nullptr, decode_nvfp4},
    {QuantType::kQ1_0, "Q1_0", 128, 18, kQuantized, nullptr, decode_q1_0},
    {QuantType::kQ2_0, "Q2_0", 64, 18, kQuantized, nullptr, decode_q2_0},
};

constexpr bool ascending() {
  for (std::size_t i = 1; i < std::size(kCodecs); ++i) {
    if (kCodecs[i - 1].type >= kCodecs[i].type) return false;
  }
  return true;
}
static_assert(ascending());

constexpr std::uint32_t block_bytes(QuantType type) {
  for (const Codec& row : kCodecs) {
    if (row.type == type) return row.block_bytes;
  }
  return 0;
}
// The structs with a static_assert of their own, tied to the rows.
static_assert(block_bytes(QuantType::kQ4_0) == sizeof(BlockQ4_0));
static_assert(block_bytes(QuantType::kQ5_0) == sizeof(BlockQ5_0));
static_assert(block_bytes(QuantType::kQ2K) == sizeof(BlockQ2K));
static_assert(block_bytes(QuantType::kQ4_1) == sizeof(BlockQ4_1));
static_assert(block_bytes(QuantType::kQ4K) == sizeof(BlockQ4K));
static_assert(block_bytes(QuantType::kQ5_1) == sizeof(BlockQ5_1));
static_assert(block_bytes(QuantType::kQ5K) == sizeof(BlockQ5K));
static_assert(block_bytes(QuantType::kQ8_0) == sizeof(BlockQ8_0));
static_assert(block_bytes(QuantType::kQ3K) == sizeof(BlockQ3K));
static_assert(block_bytes(QuantType::kQ6K) == sizeof(BlockQ6K));
static_assert(block_bytes(QuantType::kIQ2XXS) == sizeof(BlockIQ2XXS));
static_assert(block_bytes(QuantType::kIQ2XS) == sizeof(BlockIQ2XS));
static_assert(block_bytes(QuantType::kIQ2S) == sizeof(BlockIQ2S));
static_assert(block_bytes(QuantType::kIQ3XXS) == sizeof(BlockIQ3XXS));
static_assert(block_bytes(QuantType::kIQ3S) == sizeof(BlockIQ3S));
static_assert(block_bytes(QuantType::kIQ1S) == sizeof(BlockIQ1S));
static_assert(block_bytes(QuantType::kIQ1M) == sizeof(BlockIQ1M));
static_assert(block_bytes(QuantType::kIQ4NL) == sizeof(BlockIQ4NL));
static_assert(block_bytes(QuantType::kIQ4XS) == sizeof(BlockIQ4XS));
static_assert(block_bytes(QuantType::kTQ1_0) == sizeof(BlockTQ1_0));
static_assert(block_bytes(QuantType::kTQ2_0) == sizeof(BlockTQ2_0));
static_assert(block_bytes(QuantType::kMXFP4) == sizeof(BlockMXFP4));
static_assert(block_bytes(QuantType::kNVFP4) == sizeof(BlockNVFP4));
static_assert(block_bytes(QuantType::kQ1_0) == sizeof(BlockQ1_0));
static_assert(block_bytes(QuantType::kQ2_0) == sizeof(BlockQ2_0));

}  // namespace

std::span<const Codec> codecs() { return kCodecs; }

const Codec* find_codec(std::uint32_t id) {
  const auto* const row = std::ranges::lower_bound(
      kCodecs, id, {}, [](const Codec& c) { return static_cast<std::uint32_t>(c.type); });
  return row != std::end(kCodecs) && static_cast<std::uint32_t>(row->type) == id ? row : nullptr;
}

const Codec* find_codec(std::string_view name) {
  const std::string wanted = base::to_lower(name);
  for (const Codec& row : kCodecs) {
    if (base::to_lower(row.name) == wanted) return &row;
  }
  return nullptr;
}

std::optional<tensor::DType> plain_type(QuantType type) {
  switch (type) {
    case QuantType::kF32:
      return tensor::DType::kF32;
    case QuantType::kF16:
      return tensor::DType::kF16;
    case QuantType::kBF16:
      return tensor::DType::kBF16;
    case QuantType::kF64:
      return tensor::DType::kF64;
    default:
      return std::nullopt;
  }
}

const Codec& codec(QuantType type) {
  const Codec* const row = find_codec(static_cast<std::uint32_t>(type));
  assert(row != nullptr);
  return *row;
}

}  // namespace lq::codec
