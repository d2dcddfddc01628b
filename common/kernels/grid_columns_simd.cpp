// grid_columns.h for every instruction set: a lane per row, each in the order of the reference.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/grid_columns_simd.cpp"
#include <cstdint>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/grid_columns.h"
#include "common/kernels/grid_columns_detail.h"
#include "common/kernels/target.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kRowLanes>;
using Vec = hn::Vec<Floats>;

HWY_INLINE Vec load(const float* x) { return hn::LoadU(Floats(), x); }
HWY_INLINE void store(Vec v, float* x) { hn::StoreU(v, Floats(), x); }

HWY_INLINE Vec load_codes(const std::uint8_t* codes) {
  const hn::Rebind<std::uint8_t, Floats> bytes;
  const hn::Rebind<std::int32_t, Floats> ints;
  return hn::ConvertTo(Floats(), hn::PromoteTo(ints, hn::LoadU(bytes, codes)));
}
HWY_INLINE void store_codes(Vec q, std::uint8_t* codes) {
  const hn::Rebind<std::uint8_t, Floats> bytes;
  const hn::Rebind<std::int32_t, Floats> ints;
  hn::StoreU(hn::DemoteTo(bytes, hn::ConvertTo(ints, q)), bytes, codes);
}

HWY_INLINE Vec nearest_code(Vec target, Vec scale, Vec zero, Vec max_code) {
  const Vec q = hn::Add(hn::Round(hn::Div(target, scale)), zero);
  return hn::Min(hn::Max(q, hn::Zero(Floats())), max_code);
}

/// Some vectors of rows side by side hide the latency of the additions.
template <int kVectors>
HWY_INLINE void add_weighted(const float* columns, std::size_t stride, const float* weights,
                             std::size_t n_columns, float* sum) {
  const std::size_t lanes = hn::Lanes(Floats());
  Vec total[kVectors];
  for (int v = 0; v < kVectors; ++v) total[v] = load(sum + static_cast<std::size_t>(v) * lanes);
  for (std::size_t i = 0; i < n_columns; ++i) {
    const Vec weight = hn::Set(Floats(), weights[i]);
    const float* const column = columns + i * stride;
    for (int v = 0; v < kVectors; ++v) {
      total[v] =
          hn::Add(total[v], hn::Mul(weight, load(column + static_cast<std::size_t>(v) * lanes)));
    }
  }
  for (int v = 0; v < kVectors; ++v) store(total[v], sum + static_cast<std::size_t>(v) * lanes);
}

void add_weighted_columns_simd(const float* columns, std::size_t stride, const float* weights,
                               std::size_t n_columns, float* sum, std::size_t n) {
  constexpr int kMany = 8;
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t x = 0;
  for (; x + kMany * lanes <= n; x += kMany * lanes) {
    add_weighted<kMany>(columns + x, stride, weights, n_columns, sum + x);
  }
  for (; x < n; x += lanes) add_weighted<1>(columns + x, stride, weights, n_columns, sum + x);
}

void round_to_grid_simd(const float* target, const RowGrids& grids, std::uint8_t* codes,
                        float* values, std::size_t n) {
  const Vec max_code = hn::Set(Floats(), grids.max_code);
  for (std::size_t x = 0; x < n; x += hn::Lanes(Floats())) {
    const Vec scale = load(grids.scale + x), zero = load(grids.zero + x);
    const Vec q = nearest_code(load(target + x), scale, zero, max_code);
    store_codes(q, codes + x);
    store(hn::Mul(hn::Sub(q, zero), scale), values + x);
  }
}

void descend_column_simd(const DescentColumn& column, const RowGrids& grids, std::size_t n) {
  const Vec max_code = hn::Set(Floats(), grids.max_code);
  const Vec inverse_h = hn::Set(Floats(), 1.0F / column.h);
  for (std::size_t x = 0; x < n; x += hn::Lanes(Floats())) {
    const Vec scale = load(grids.scale + x), zero = load(grids.zero + x);
    const Vec g = load(column.gradient + x), old_q = load_codes(column.codes + x);
    const Vec value = hn::Mul(hn::Sub(old_q, zero), scale);
    const Vec q = nearest_code(hn::Add(value, hn::Mul(g, inverse_h)), scale, zero, max_code);
    const Vec error = hn::Sub(load(column.weight + x), hn::Mul(hn::Sub(q, zero), scale));
    store_codes(q, column.codes + x);
    store(hn::Sub(error, load(column.error + x)), column.change + x);
    store(error, column.error + x);
  }
}

void add_group_sums_simd(const float* column, const float* g, const float* qh, float ones_h,
                         const GroupSums& sums, std::size_t n) {
  const Vec ones = hn::Set(Floats(), ones_h);
  const auto add = [](float* sum, Vec v) { store(hn::Add(load(sum), v), sum); };
  for (std::size_t x = 0; x < n; x += hn::Lanes(Floats())) {
    const Vec q = load(column + x), gradient = load(g + x);
    add(sums.q_g + x, hn::Mul(q, gradient));
    add(sums.g + x, gradient);
    add(sums.q_qh + x, hn::Mul(q, load(qh + x)));
    add(sums.q_ones + x, hn::Mul(q, ones));
  }
}

void regrid_column_simd(const RegriddedColumn& column, const RowGrids& old_grids,
                        const RowGrids& new_grids, std::size_t n) {
  const Vec ones = hn::Set(Floats(), column.ones_h), middle = hn::Set(Floats(), column.middle);
  for (std::size_t x = 0; x < n; x += hn::Lanes(Floats())) {
    const Vec scale = load(new_grids.scale + x), old_scale = load(old_grids.scale + x);
    const Vec zero = hn::Sub(load(new_grids.zero + x), middle);
    const Vec old_zero = hn::Sub(load(old_grids.zero + x), middle);
    const Vec value = hn::Mul(hn::Sub(load(column.q + x), zero), scale);
    const Vec error = hn::Sub(load(column.weight + x), value);
    const Vec change = hn::Sub(error, load(column.error + x));
    store(hn::Add(load(column.change + x), change), column.change + x);
    store(error, column.error + x);
    const Vec of_codes = hn::Mul(hn::Sub(scale, old_scale), load(column.qh + x));
    const Vec of_ones = hn::Mul(hn::Sub(hn::Mul(scale, zero), hn::Mul(old_scale, old_zero)), ones);
    const Vec g = hn::Sub(load(column.gradient + x), hn::Sub(of_codes, of_ones));
    store(g, column.gradient + x);
  }
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(add_weighted_columns_simd);
HWY_EXPORT(round_to_grid_simd);
HWY_EXPORT(descend_column_simd);
HWY_EXPORT(add_group_sums_simd);
HWY_EXPORT(regrid_column_simd);

void add_weighted_columns(const float* columns, std::size_t stride, const float* weights,
                          std::size_t n_columns, float* sum, std::size_t n) {
  if (use_reference()) {
    detail::add_weighted_columns_reference(columns, stride, weights, n_columns, sum, n);
  } else {
    HWY_DYNAMIC_DISPATCH(add_weighted_columns_simd)(columns, stride, weights, n_columns, sum, n);
  }
}

void round_to_grid(const float* target, const RowGrids& grids, std::uint8_t* codes, float* values,
                   std::size_t n) {
  if (use_reference()) {
    detail::round_to_grid_reference(target, grids, codes, values, n);
  } else {
    HWY_DYNAMIC_DISPATCH(round_to_grid_simd)(target, grids, codes, values, n);
  }
}

void descend_column(const DescentColumn& column, const RowGrids& grids, std::size_t n) {
  if (use_reference()) {
    detail::descend_column_reference(column, grids, n);
  } else {
    HWY_DYNAMIC_DISPATCH(descend_column_simd)(column, grids, n);
  }
}

void add_group_sums(const float* q, const float* g, const float* qh, float ones_h,
                    const GroupSums& sums, std::size_t n) {
  if (use_reference()) {
    detail::add_group_sums_reference(q, g, qh, ones_h, sums, n);
  } else {
    HWY_DYNAMIC_DISPATCH(add_group_sums_simd)(q, g, qh, ones_h, sums, n);
  }
}

void regrid_column(const RegriddedColumn& column, const RowGrids& old_grids,
                   const RowGrids& new_grids, std::size_t n) {
  if (use_reference()) {
    detail::regrid_column_reference(column, old_grids, new_grids, n);
  } else {
    HWY_DYNAMIC_DISPATCH(regrid_column_simd)(column, old_grids, new_grids, n);
  }
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
