#include "common/codec/fp4.h"

#include <cmath>
#include <limits>

namespace lq::codec {
namespace {

constexpr std::int8_t kNonLinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                        1,    13,   25,  38,  53,  69,  89,  113};
// E2M1, doubled so that the levels are whole numbers.
constexpr std::int8_t kE2M1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

void levels(const std::int8_t (&table)[16], float scale, const std::uint8_t* bytes, int n_bytes,
            float* out) {
  for (int j = 0; j < n_bytes; ++j) {
    out[j] = scale * static_cast<float>(table[nibble(bytes[j], 0)]);
    out[j + n_bytes] = scale * static_cast<float>(table[nibble(bytes[j], 1)]);
  }
}

// Half of the unsigned E4M3 value; the codes 0 and 127 stand for zero.
float half_e4m3(std::uint8_t code) {
  if (code == 0 || code == 127) return 0.0F;
  const int exponent = (code >> 3) & 15;
  const int mantissa = code & 7;
  if (exponent == 0) return std::ldexp(static_cast<float>(mantissa), -10);
  return std::ldexp(static_cast<float>(8 + mantissa), exponent - 11);
}

void mxfp4_block(const BlockMXFP4& b, float* out) {
  levels(kE2M1, std::ldexp(1.0F, b.exponent - 128), b.qs, 16, out);
}

void nvfp4_block(const BlockNVFP4& b, float* out) {
  for (int s = 0; s < 4; ++s) levels(kE2M1, half_e4m3(b.scales[s]), b.qs + 8 * s, 8, out + 16 * s);
}

void iq4_nl_block(const BlockIQ4NL& b, float* out) {
  levels(kNonLinear, load_half(b.d), b.qs, 16, out);
}

void iq4_xs_block(const BlockIQ4XS& b, float* out) {
  const float d = load_half(b.d);
  for (int s = 0; s < 8; ++s) {
    const int high = (b.scales_high >> (2 * s)) & 3;
    const int scale = (nibble(b.scales_low[s / 2], s % 2) | high << 4) - 32;
    levels(kNonLinear, d * static_cast<float>(scale), b.qs + 16 * s, 16, out + 32 * s);
  }
}

}  // namespace

void decode_mxfp4(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockMXFP4, 32, mxfp4_block>(blocks, out, n_elems);
}

void decode_nvfp4(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockNVFP4, 64, nvfp4_block>(blocks, out, n_elems);
}

void decode_iq4_nl(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ4NL, 32, iq4_nl_block>(blocks, out, n_elems);
}

void decode_iq4_xs(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ4XS, 256, iq4_xs_block>(blocks, out, n_elems);
}

}  // namespace lq::codec
