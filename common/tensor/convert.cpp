#include "common/tensor/convert.h"

#include <bit>
#include <cassert>
#include <cstring>
#include <limits>

namespace lq::tensor {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// 2^exponent for the exponents of normal float32 numbers.
constexpr float power_of_two(int exponent) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

// A sign, kExponentBits and kMantissaBits without any special value: zero and subnormals for
// exponent 0, normal numbers for all others. float32 holds each of them exactly.
template <int kExponentBits, int kMantissaBits, int kBias>
float small_float(std::uint32_t bits) {
  const std::uint32_t sign = bits >> (kExponentBits + kMantissaBits) << 31;
  const std::uint32_t exponent = bits >> kMantissaBits & ((1U << kExponentBits) - 1);
  const std::uint32_t mantissa = bits & ((1U << kMantissaBits) - 1);
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * power_of_two(1 - kBias - kMantissaBits);
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  return std::bit_cast<float>(sign | (exponent + 127 - kBias) << 23 |
                              mantissa << (23 - kMantissaBits));
}

template <class Stored, class Convert>
void widen_each(std::span<const std::byte> in, std::span<float> out, Convert convert) {
  assert(in.size() == out.size() * sizeof(Stored));
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, in.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(stored);
  }
}

}  // namespace

float f16_to_f32(std::uint16_t bits) {
  if ((bits & 0x7C00U) == 0x7C00U) {
    const std::uint32_t sign = (bits & 0x8000U) << 16;
    const std::uint32_t payload = (bits & 0x03FFU) << 13;
    // A signalling NaN comes out quiet, as the processor's own conversion makes it.
    return std::bit_cast<float>(sign | 0x7F800000U | payload | (payload != 0 ? 0x00400000U : 0U));
  }
  return small_float<5, 10, 15>(bits);
}

std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  const auto with_sign = [sign](std::uint32_t half) {
    return static_cast<std::uint16_t>(half | sign);
  };
  if (magnitude > 0x7F800000U) return with_sign(0x7E00U | (magnitude >> 13 & 0x03FFU));
  // 65520 lies half way between the largest number, 65504, and what would be the next one.
  if (magnitude >= std::bit_cast<std::uint32_t>(65520.0F)) return with_sign(0x7C00U);
  if (magnitude < std::bit_cast<std::uint32_t>(power_of_two(-14))) {
    // The sum with 0.5 has steps of 2^-24, those of subnormal halves: the addition does the
    // rounding.
    const float sum = std::bit_cast<float>(magnitude) + 0.5F;
    return with_sign(std::bit_cast<std::uint32_t>(sum) - std::bit_cast<std::uint32_t>(0.5F));
  }
  const std::uint32_t rounded = magnitude + 0x0FFFU + (magnitude >> 13 & 1U);
  return with_sign((rounded >> 13) - ((127U - 15U) << 10));
}

float bf16_to_f32(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    // Setting a mantissa bit keeps a NaN whose payload is in the lower half from becoming an
    // infinity.
    return static_cast<std::uint16_t>(bits >> 16 | 0x0040U);
  }
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

float f8_e4m3_to_f32(std::uint8_t bits) {
  if ((bits & 0x7FU) == 0x7FU) return kNaN;
  return small_float<4, 3, 7>(bits);
}

float f8_e5m2_to_f32(std::uint8_t bits) {
  // The upper half of an IEEE half.
  return f16_to_f32(static_cast<std::uint16_t>(bits << 8));
}

float f8_e8m0_to_f32(std::uint8_t bits) {
  if (bits == 0xFFU) return kNaN;
  // 2^-127 is subnormal in float32.
  if (bits == 0) return std::bit_cast<float>(0x00400000U);
  return power_of_two(bits - 127);
}

float f8_e4m3fnuz_to_f32(std::uint8_t bits) {
  return bits == 0x80U ? kNaN : small_float<4, 3, 8>(bits);
}

float f8_e5m2fnuz_to_f32(std::uint8_t bits) {
  return bits == 0x80U ? kNaN : small_float<5, 2, 16>(bits);
}

void widen_to_f32(DType dtype, std::span<const std::byte> in, std::span<float> out) {
  switch (dtype) {
    case DType::kF32:
      assert(in.size() == out.size_bytes());
      if (!in.empty()) std::memcpy(out.data(), in.data(), in.size());
      return;
    case DType::kF64:
      return widen_each<double>(in, out, [](double value) { return static_cast<float>(value); });
    case DType::kF16:
      return widen_each<std::uint16_t>(in, out, f16_to_f32);
    case DType::kBF16:
      return widen_each<std::uint16_t>(in, out, bf16_to_f32);
    case DType::kF8E4M3:
      return widen_each<std::uint8_t>(in, out, f8_e4m3_to_f32);
    case DType::kF8E5M2:
      return widen_each<std::uint8_t>(in, out, f8_e5m2_to_f32);
    case DType::kF8E8M0:
      return widen_each<std::uint8_t>(in, out, f8_e8m0_to_f32);
    case DType::kF8E4M3FNUZ:
      return widen_each<std::uint8_t>(in, out, f8_e4m3fnuz_to_f32);
    case DType::kF8E5M2FNUZ:
      return widen_each<std::uint8_t>(in, out, f8_e5m2fnuz_to_f32);
    default:
      assert(!"a type that does not widen");
  }
}

}  // namespace lq::tensor
