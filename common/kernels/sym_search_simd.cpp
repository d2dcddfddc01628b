// The search of sym_search-inl.h for every instruction set, and the choice between them.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/sym_search_simd.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/sym_detail.h"
#include "common/kernels/sym_formats.h"
#include "common/kernels/target.h"

#undef LQ_SYM_NAMESPACE
#undef LQ_SYM_INLINE
#undef LQ_SYM_ABS
#define LQ_SYM_NAMESPACE lq::kernels::HWY_NAMESPACE
#define LQ_SYM_INLINE HWY_INLINE
#define LQ_SYM_ABS(v) ((v) < 0.0F ? -(v) : (v))

HWY_BEFORE_NAMESPACE();
#include "common/kernels/sym_search-inl.h"

namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Wide {
  using D = hn::CappedTag<float, kSymLanes>;
  using V = hn::Vec<D>;
  using M = hn::Mask<D>;
  static constexpr int kWidth = static_cast<int>(hn::MaxLanes(D()));
  static HWY_INLINE V set(float v) { return hn::Set(D(), v); }
  static HWY_INLINE V load(const float* from) { return hn::Load(D(), from); }
  static HWY_INLINE void store(V v, float* to) { hn::Store(v, D(), to); }
  static HWY_INLINE V load_any(const float* from) { return hn::LoadU(D(), from); }
  static HWY_INLINE void store_low_bytes(V v, std::uint8_t* to) {
    const hn::RebindToUnsigned<D> bits;
    const hn::Rebind<std::uint8_t, D> bytes;
    hn::StoreU(hn::TruncateTo(bytes, hn::BitCast(bits, v)), bytes, to);
  }
  // columns[i][l] = rows[l][i], in squares of 4 by 4.
  template <int kElems>
  static HWY_INLINE void transpose(const float* const* rows, float (*columns)[kSymLanes]) {
#if HWY_TARGET == HWY_SCALAR
    for (int l = 0; l < kSymLanes; ++l) {
      for (int i = 0; i < kElems; ++i) columns[i][l] = rows[l][i];
    }
#else
    const hn::Full128<float> f;
    const hn::Full128<double> pairs;
    for (int l = 0; l < kSymLanes; l += 4) {
      for (int i = 0; i < kElems; i += 4) {
        const auto a = hn::LoadU(f, rows[l] + i);
        const auto b = hn::LoadU(f, rows[l + 1] + i);
        const auto c = hn::LoadU(f, rows[l + 2] + i);
        const auto d = hn::LoadU(f, rows[l + 3] + i);
        const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(f, a, b));
        const auto cd_low = hn::BitCast(pairs, hn::InterleaveLower(f, c, d));
        const auto ab_high = hn::BitCast(pairs, hn::InterleaveUpper(f, a, b));
        const auto cd_high = hn::BitCast(pairs, hn::InterleaveUpper(f, c, d));
        hn::Store(hn::BitCast(f, hn::InterleaveLower(pairs, ab_low, cd_low)), f, &columns[i][l]);
        hn::Store(hn::BitCast(f, hn::InterleaveUpper(pairs, ab_low, cd_low)), f,
                  &columns[i + 1][l]);
        hn::Store(hn::BitCast(f, hn::InterleaveLower(pairs, ab_high, cd_high)), f,
                  &columns[i + 2][l]);
        hn::Store(hn::BitCast(f, hn::InterleaveUpper(pairs, ab_high, cd_high)), f,
                  &columns[i + 3][l]);
      }
    }
#endif
  }
  static HWY_INLINE V add(V a, V b) { return hn::Add(a, b); }
  static HWY_INLINE V sub(V a, V b) { return hn::Sub(a, b); }
  static HWY_INLINE V mul(V a, V b) { return hn::Mul(a, b); }
  static HWY_INLINE V div(V a, V b) { return hn::Div(a, b); }
  static HWY_INLINE V min(V a, V b) { return hn::Min(a, b); }
  static HWY_INLINE V max(V a, V b) { return hn::Max(a, b); }
  static HWY_INLINE V abs(V a) { return hn::Abs(a); }
  static HWY_INLINE M gt(V a, V b) { return hn::Gt(a, b); }
  static HWY_INLINE M eq(V a, V b) { return hn::Eq(a, b); }
  static HWY_INLINE V select(M condition, V yes, V no) {
    return hn::IfThenElse(condition, yes, no);
  }
  static HWY_INLINE V round(V v) { return hn::Round(v); }
};

void sym_q6_k(const float* x, const float* weights, SymSuperBlock& out) {
  super_block<Wide, FormatQ6K>(x, weights, out);
}
void sym_q3_k(const float* x, const float* weights, SymSuperBlock& out) {
  super_block<Wide, FormatQ3K>(x, weights, out);
}
void sym_q4_0(const float* x, const float* const* weights, int n_blocks, SymBlocks32& out) {
  blocks32<Wide, FormatQ4_0>(x, weights, n_blocks, out);
}
void sym_q5_0(const float* x, const float* const* weights, int n_blocks, SymBlocks32& out) {
  blocks32<Wide, FormatQ5_0>(x, weights, n_blocks, out);
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(sym_q6_k);
HWY_EXPORT(sym_q3_k);
HWY_EXPORT(sym_q4_0);
HWY_EXPORT(sym_q5_0);

void sym_q6_k(const float* x, const float* weights, SymSuperBlock& out) {
  if (use_reference()) return detail::sym_q6_k_reference(x, weights, out);
  HWY_DYNAMIC_DISPATCH(sym_q6_k)(x, weights, out);
}

void sym_q3_k(const float* x, const float* weights, SymSuperBlock& out) {
  if (use_reference()) return detail::sym_q3_k_reference(x, weights, out);
  HWY_DYNAMIC_DISPATCH(sym_q3_k)(x, weights, out);
}

void sym_q4_0(const float* x, const float* const* weights, int n_blocks, SymBlocks32& out) {
  if (use_reference()) return detail::sym_q4_0_reference(x, weights, n_blocks, out);
  HWY_DYNAMIC_DISPATCH(sym_q4_0)(x, weights, n_blocks, out);
}

void sym_q5_0(const float* x, const float* const* weights, int n_blocks, SymBlocks32& out) {
  if (use_reference()) return detail::sym_q5_0_reference(x, weights, n_blocks, out);
  HWY_DYNAMIC_DISPATCH(sym_q5_0)(x, weights, n_blocks, out);
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
