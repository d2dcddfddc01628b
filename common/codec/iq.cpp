#include "common/codec/iq.h"

#include <bit>

#include "common/codec/iq_tables.h"

namespace lq::codec {
namespace {

constexpr std::int8_t kLevels2[4] = {8, 25, 43, 0};
constexpr std::int8_t kLevels3XXS[8] = {4, 12, 20, 28, 36, 44, 52, 62};
constexpr std::int8_t kLevels3S[8] = {1, 3, 5, 7, 9, 11, 13, 15};
constexpr float kDelta = 0.125F;

std::uint32_t word_of(const std::uint8_t (&bytes)[4]) {
  return bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 |
         std::uint32_t{bytes[3]} << 24;
}

unsigned with_parity(std::uint32_t seven_bits) {
  return seven_bits | (static_cast<unsigned>(std::popcount(seven_bits)) & 1U) << 7;
}

// kBits per level number: 2 in the tables of 8 elements, 3 in those of 4.
template <int kBits>
void signed_levels(const std::int8_t* levels, unsigned entry, unsigned signs, float scale,
                   float* out) {
  constexpr int kElems = kBits == 2 ? 8 : 4;
  for (int j = 0; j < kElems; ++j) {
    const float value =
        scale * static_cast<float>(levels[(entry >> (kBits * j)) & ((1U << kBits) - 1U)]);
    out[j] = ((signs >> j) & 1U) != 0 ? -value : value;
  }
}

float scale_iq2(float d, int s) { return d * (0.5F + static_cast<float>(s)) * 0.25F; }

void iq2_xxs_block(const BlockIQ2XXS& b, float* out) {
  const float d = load_half(b.d);
  for (const auto& record : b.records) {
    const std::uint32_t packed = word_of(record.packed);
    const float scale = scale_iq2(d, static_cast<int>(packed >> 28));
    for (int l = 0; l < 4; ++l, out += 8) {
      signed_levels<2>(kLevels2, kGridIQ2XXS[record.index[l]],
                       with_parity((packed >> (7 * l)) & 127U), scale, out);
    }
  }
}

void iq2_xs_block(const BlockIQ2XS& b, float* out) {
  const float d = load_half(b.d);
  for (int g = 0; g < 32; ++g, out += 8) {
    const float scale = scale_iq2(d, nibble(b.scales[g / 4], g % 4 / 2));
    signed_levels<2>(kLevels2, kGridIQ2XS[b.qs[g] & 511U],
                     with_parity(static_cast<std::uint32_t>(b.qs[g] >> 9)), scale, out);
  }
}

void iq2_s_block(const BlockIQ2S& b, float* out) {
  const float d = load_half(b.d);
  for (int g = 0; g < 32; ++g, out += 8) {
    const float scale = scale_iq2(d, nibble(b.scales[g / 4], g % 4 / 2));
    const unsigned high = (unsigned{b.qh[g / 4]} >> (2 * (g % 4))) & 3U;
    signed_levels<2>(kLevels2, kGridIQ2S[b.qs[g] | high << 8], b.signs[g], scale, out);
  }
}

void iq3_xxs_block(const BlockIQ3XXS& b, float* out) {
  const float d = load_half(b.d);
  for (int g = 0; g < 32; ++g, out += 8) {
    const std::uint32_t packed = word_of(b.packed[g / 4]);
    const float scale = d * (0.5F + static_cast<float>(packed >> 28)) * 0.5F;
    const unsigned signs = with_parity((packed >> (7 * (g % 4))) & 127U);
    signed_levels<3>(kLevels3XXS, kGridIQ3XXS[b.qs[2 * g]], signs, scale, out);
    signed_levels<3>(kLevels3XXS, kGridIQ3XXS[b.qs[2 * g + 1]], signs >> 4, scale, out + 4);
  }
}

void iq3_s_block(const BlockIQ3S& b, float* out) {
  const float d = load_half(b.d);
  for (int h = 0; h < 64; ++h, out += 4) {  // groups of 4
    const float scale = d * static_cast<float>(1 + 2 * nibble(b.scales[h / 16], h / 8 % 2));
    const unsigned high = (unsigned{b.qh[h / 8]} >> (h % 8)) & 1U;
    signed_levels<3>(kLevels3S, kGridIQ3S[b.qs[h] | high << 8],
                     unsigned{b.signs[h / 2]} >> (4 * (h % 2)), scale, out);
  }
}

void shifted_levels(unsigned entry, float delta, float scale, float* out) {
  for (int j = 0; j < 8; ++j) {
    const int level = static_cast<int>((entry >> (2 * j)) & 3U) - 1;
    out[j] = scale * (static_cast<float>(level) + delta);
  }
}

void iq1_s_block(const BlockIQ1S& b, float* out) {
  const float d = load_half(b.d);
  for (int g = 0; g < 32; ++g, out += 8) {
    const unsigned fields = b.qh[g / 4];
    const float scale = d * static_cast<float>(2 * ((fields >> 12) & 7U) + 1);
    const unsigned high = (fields >> (3 * (g % 4))) & 7U;
    shifted_levels(kGridIQ1[b.qs[g] | high << 8], (fields & 0x8000U) != 0 ? -kDelta : kDelta, scale,
                   out);
  }
}

void iq1_m_block(const BlockIQ1M& b, float* out) {
  unsigned d_bits = 0;
  for (int k = 0; k < 4; ++k) d_bits |= (unsigned{b.scales[k]} >> 12) << (4 * k);
  const float d = load_half(static_cast<Half>(d_bits));
  for (int g = 0; g < 32; ++g, out += 8) {
    const int t = g / 2;
    const unsigned s = (unsigned{b.scales[t / 4]} >> (3 * (t % 4))) & 7U;
    const auto fields = static_cast<unsigned>(nibble(b.qh[g / 2], g % 2));
    shifted_levels(kGridIQ1[b.qs[g] | (fields & 7U) << 8], (fields & 8U) != 0 ? -kDelta : kDelta,
                   d * static_cast<float>(2 * s + 1), out);
  }
}

}  // namespace

void decode_iq2_xxs(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ2XXS, 256, iq2_xxs_block>(blocks, out, n_elems);
}

void decode_iq2_xs(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ2XS, 256, iq2_xs_block>(blocks, out, n_elems);
}

void decode_iq2_s(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ2S, 256, iq2_s_block>(blocks, out, n_elems);
}

void decode_iq3_xxs(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ3XXS, 256, iq3_xxs_block>(blocks, out, n_elems);
}

void decode_iq3_s(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ3S, 256, iq3_s_block>(blocks, out, n_elems);
}

void decode_iq1_s(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ1S, 256, iq1_s_block>(blocks, out, n_elems);
}

void decode_iq1_m(const std::byte* blocks, float* out, std::size_t n_elems) {
  decode_blocks<BlockIQ1M, 256, iq1_m_block>(blocks, out, n_elems);
}

}  // namespace lq::codec
