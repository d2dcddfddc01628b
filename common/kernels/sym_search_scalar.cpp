// The reference: the search of sym_search-inl.h with one lane of plain float.

#include <algorithm>
#include <bit>
#include <cmath>

#include "common/kernels/sym_detail.h"
#include "common/kernels/sym_formats.h"
#include "common/tensor/convert.h"

#define LQ_SYM_NAMESPACE lq::kernels::reference
#define LQ_SYM_INLINE inline
#define LQ_SYM_ABS(v) std::fabs(v)
#include "common/kernels/sym_search-inl.h"

namespace lq::kernels {
namespace {

struct PlainFloat {
  using V = float;
  static constexpr int kWidth = 1;
  static V set(float v) { return v; }
  static V load(const float* from) { return *from; }
  static void store(V v, float* to) { *to = v; }
  static V load_any(const float* from) { return *from; }
  static void store_low_bytes(V v, std::uint8_t* to) {
    *to = static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(v));
  }
  template <int kElems>
  static void transpose(const float* const* rows, float (*columns)[kSymLanes]) {
    for (int l = 0; l < kSymLanes; ++l) {
      for (int i = 0; i < kElems; ++i) columns[i][l] = rows[l][i];
    }
  }
  static V add(V a, V b) { return a + b; }
  static V sub(V a, V b) { return a - b; }
  static V mul(V a, V b) { return a * b; }
  static V div(V a, V b) { return a / b; }
  static V min(V a, V b) { return a < b ? a : b; }
  static V max(V a, V b) { return a > b ? a : b; }
  static V abs(V a) { return std::fabs(a); }
  static bool gt(V a, V b) { return a > b; }
  static bool eq(V a, V b) { return a == b; }
  static V select(bool condition, V yes, V no) { return condition ? yes : no; }
  /// Nearest, ties to even, for |v| < 2^22: past 2^23 a float has no fraction bits left.
  static V round(V v) {
    constexpr float kShift = 12582912.0F;  // 1.5 * 2^23
    return (v + kShift) - kShift;
  }
};

}  // namespace

namespace detail {

std::uint16_t half_bits(float value) { return tensor::f32_to_f16(value); }

float round_to_half(float value) {
  constexpr float kLargest = 65504.0F;
  return tensor::f16_to_f32(tensor::f32_to_f16(std::clamp(value, -kLargest, kLargest)));
}

void sym_q6_k_reference(const float* x, const float* weights, SymSuperBlock& out) {
  reference::super_block<PlainFloat, reference::FormatQ6K>(x, weights, out);
}

void sym_q3_k_reference(const float* x, const float* weights, SymSuperBlock& out) {
  reference::super_block<PlainFloat, reference::FormatQ3K>(x, weights, out);
}

void sym_q4_0_reference(const float* x, const float* const* weights, int n_blocks,
                        SymBlocks32& out) {
  reference::blocks32<PlainFloat, reference::FormatQ4_0>(x, weights, n_blocks, out);
}

void sym_q5_0_reference(const float* x, const float* const* weights, int n_blocks,
                        SymBlocks32& out) {
  reference::blocks32<PlainFloat, reference::FormatQ5_0>(x, weights, n_blocks, out);
}

}  // namespace detail
}  // namespace lq::kernels
