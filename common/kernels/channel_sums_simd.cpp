// channel_sums.h for every instruction set: a lane per channel, each in the order of the reference.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/channel_sums_simd.cpp"
#include <algorithm>
#include <cstdint>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/channel_sums.h"
#include "common/kernels/channel_sums_detail.h"
#include "common/kernels/elements-inl.h"
#include "common/kernels/target.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE void add_to(double* sums, FloatVec values) {
  const hn::Half<Floats> half;
  const hn::Rebind<double, hn::Half<Floats>> doubles;
  HWY_ALIGN float lanes[hn::MaxLanes(Floats())];
  hn::Store(values, Floats(), lanes);
  for (std::size_t i = 0; i < hn::Lanes(Floats()); i += hn::Lanes(half)) {
    const auto wide = hn::PromoteTo(doubles, hn::Load(half, lanes + i));
    hn::StoreU(hn::Add(hn::LoadU(doubles, sums + i), wide), doubles, sums + i);
  }
}

/// The sums of one vector of channels over a run.
struct Lane {
  FloatVec sum, sum_abs, sum_sq, max_abs;

  HWY_INLINE explicit Lane(const float* largest)
      : sum(hn::Zero(Floats())), sum_abs(sum), sum_sq(sum), max_abs(hn::LoadU(Floats(), largest)) {}
  HWY_INLINE void add(FloatVec value) {
    const FloatVec magnitude = hn::Abs(value);
    sum = hn::Add(sum, value);
    sum_abs = hn::Add(sum_abs, magnitude);
    sum_sq = hn::Add(sum_sq, hn::Mul(value, value));
    max_abs = hn::Max(max_abs, magnitude);
  }
  HWY_INLINE void store(const ChannelSums& sums, std::size_t channel) const {
    add_to(sums.sum + channel, sum);
    add_to(sums.sum_abs + channel, sum_abs);
    add_to(sums.sum_sq + channel, sum_sq);
    hn::StoreU(max_abs, Floats(), sums.max_abs + channel);
  }
};

/// Two vectors of channels at once: a cache line of bfloat16 where vectors have 512 bits. Returns
/// how many channels were done, the whole vectors.
template <class Element>
HWY_INLINE std::size_t add_rows(const std::byte* x, std::size_t n_rows, std::size_t row_bytes,
                                std::size_t n_channels, const ChannelSums& sums) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t channel = 0;
  for (; channel + 2 * lanes <= n_channels; channel += 2 * lanes) {
    for (std::size_t first = 0; first < n_rows; first += kChannelRun) {
      const std::size_t last = std::min(n_rows, first + kChannelRun);
      Lane a(sums.max_abs + channel), b(sums.max_abs + channel + lanes);
      for (std::size_t row = first; row < last; ++row) {
        const auto* const from = reinterpret_cast<const Element*>(x + row * row_bytes) + channel;
        a.add(load(from));
        b.add(load(from + lanes));
      }
      a.store(sums, channel);
      b.store(sums, channel + lanes);
    }
  }
  return channel;
}

std::size_t add_whole_vectors(tensor::DType dtype, const std::byte* x, std::size_t n_rows,
                              std::size_t row_bytes, std::size_t n_channels,
                              const ChannelSums& sums) {
  return dtype == tensor::DType::kF32
             ? add_rows<float>(x, n_rows, row_bytes, n_channels, sums)
             : add_rows<std::uint16_t>(x, n_rows, row_bytes, n_channels, sums);
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(add_whole_vectors);

void add_channel_sums(tensor::DType dtype, const std::byte* x, std::size_t n_rows,
                      std::size_t row_bytes, std::size_t n_channels, const ChannelSums& sums) {
  const std::size_t done = use_reference() ? 0
                                           : HWY_DYNAMIC_DISPATCH(add_whole_vectors)(
                                                 dtype, x, n_rows, row_bytes, n_channels, sums);
  const std::size_t element_bytes = dtype == tensor::DType::kF32 ? 4 : 2;
  detail::add_channel_sums_reference(
      dtype, x + done * element_bytes, n_rows, row_bytes, n_channels - done,
      {sums.sum + done, sums.sum_abs + done, sums.sum_sq + done, sums.max_abs + done});
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
