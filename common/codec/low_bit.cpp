#include "common/codec/low_bit.h"

namespace lq::codec {
namespace {

// Digit n, the most significant being 0: shift it to the front (modulo 256), then take it off.
int base3_digit(std::uint8_t byte, int n) {
  static constexpr int kPowers[] = {1, 3, 9, 27, 81};
  return ((byte * kPowers[n]) % 256 * 3) >> 8;
}

void tq1_0_block(const BlockTQ1_0& b, float* out) {
  const float d = load_half(b.d);
  const auto put = [&](const std::uint8_t* bytes, int n_bytes, int digits) {
    for (int n = 0; n < digits; ++n) {
      for (int j = 0; j < n_bytes; ++j) {
        *out++ = d * static_cast<float>(base3_digit(bytes[j], n) - 1);
      }
    }
  };
  put(b.a, 32, 5);
  put(b.b, 16, 5);
  put(b.c, 4, 4);
}

void tq2_0_block(const BlockTQ2_0& b, float* out) {
  const float d = load_half(b.d);
  for (int i = 0; i < 256; ++i) {
    out[i] = d * static_cast<float>(((b.qs[plane_byte(i)] >> plane_shift(i)) & 3) - 1);
  }
}

void q1_0_block(const BlockQ1_0& b, float* out) {
  const float d = load_half(b.d);
  for (int i = 0; i < 128; ++i) out[i] = ((b.qs[i / 8] >> (i % 8)) & 1) != 0 ? d : -d;
}

void q2_0_block(const BlockQ2_0& b, float* out) {
  const float d = load_half(b.d);
  for (int i = 0; i < 64; ++i) {
    out[i] = d * static_cast<float>(((b.qs[i / 4] >> (2 * (i % 4))) & 3) - 1);
  }
}

}  // namespace

void decode_tq1_0(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockTQ1_0, 256, tq1_0_block>(blocks, out, n_elems);
}

void decode_tq2_0(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockTQ2_0, 256, tq2_0_block>(blocks, out, n_elems);
}

void decode_q1_0(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockQ1_0, 128, q1_0_block>(blocks, out, n_elems);
}

void decode_q2_0(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockQ2_0, 64, q2_0_block>(blocks, out, n_elems);
}

}  // namespace lq::codec
