// transpose.h with vectors of 128 bits, which every instruction set has.
//
// A square of a cache line's width is read row by row into a buffer, so that each line is read
// once; from there blocks as wide as a vector go out, a line of the result after the other. Rows
// of both sides often lie a multiple of 4 KiB apart, where the cache holds few lines at a time.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "common/kernels/transpose_simd.cpp"
#include <cstdint>
#include <cstring>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/kernels/target.h"
#include "common/kernels/transpose.h"
#include "common/kernels/transpose_detail.h"

HWY_BEFORE_NAMESPACE();
namespace lq::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLineBytes = 64;

#if HWY_TARGET == HWY_SCALAR
template <class Element>
void transpose_square(const std::byte* x, std::size_t row_bytes, std::byte* out,
                      std::size_t out_row_bytes) {
  constexpr std::size_t kSide = kLineBytes / sizeof(Element);
  detail::transpose_reference(x, sizeof(Element), kSide, kSide, row_bytes, out, out_row_bytes);
}
#else
template <class Element>
using Block = hn::Full128<Element>;

/// 8 x 8 of 2 bytes.
HWY_INLINE void transpose_block(const std::uint16_t* x, std::size_t stride, std::byte* out,
                                std::size_t out_row_bytes) {
  const Block<std::uint16_t> e;
  const Block<std::uint32_t> pairs;
  const Block<std::uint64_t> quads;
  const auto at = [&](std::size_t row) HWY_ATTR { return hn::Load(e, x + row * stride); };
  const auto to = [&](std::size_t row, auto value) HWY_ATTR {
    hn::StoreU(hn::BitCast(e, value), e,
               reinterpret_cast<std::uint16_t*>(out + row * out_row_bytes));
  };
  for (const bool high : {false, true}) {
    const auto zip = [&](std::size_t a, std::size_t b) HWY_ATTR {
      const auto two =
          high ? hn::InterleaveUpper(e, at(a), at(b)) : hn::InterleaveLower(e, at(a), at(b));
      return hn::BitCast(pairs, two);
    };
    const auto r01 = zip(0, 1), r23 = zip(2, 3), r45 = zip(4, 5), r67 = zip(6, 7);
    const auto a = hn::BitCast(quads, hn::InterleaveLower(pairs, r01, r23));
    const auto b = hn::BitCast(quads, hn::InterleaveUpper(pairs, r01, r23));
    const auto c = hn::BitCast(quads, hn::InterleaveLower(pairs, r45, r67));
    const auto d = hn::BitCast(quads, hn::InterleaveUpper(pairs, r45, r67));
    const std::size_t first = high ? 4 : 0;
    to(first, hn::InterleaveLower(quads, a, c));
    to(first + 1, hn::InterleaveUpper(quads, a, c));
    to(first + 2, hn::InterleaveLower(quads, b, d));
    to(first + 3, hn::InterleaveUpper(quads, b, d));
  }
}

/// 4 x 4 of 4 bytes.
HWY_INLINE void transpose_block(const std::uint32_t* x, std::size_t stride, std::byte* out,
                                std::size_t out_row_bytes) {
  const Block<std::uint32_t> e;
  const Block<std::uint64_t> pairs;
  const auto at = [&](std::size_t row) HWY_ATTR { return hn::Load(e, x + row * stride); };
  const auto to = [&](std::size_t row, auto value) HWY_ATTR {
    hn::StoreU(hn::BitCast(e, value), e,
               reinterpret_cast<std::uint32_t*>(out + row * out_row_bytes));
  };
  const auto a = hn::BitCast(pairs, hn::InterleaveLower(e, at(0), at(1)));
  const auto b = hn::BitCast(pairs, hn::InterleaveUpper(e, at(0), at(1)));
  const auto c = hn::BitCast(pairs, hn::InterleaveLower(e, at(2), at(3)));
  const auto d = hn::BitCast(pairs, hn::InterleaveUpper(e, at(2), at(3)));
  to(0, hn::InterleaveLower(pairs, a, c));
  to(1, hn::InterleaveUpper(pairs, a, c));
  to(2, hn::InterleaveLower(pairs, b, d));
  to(3, hn::InterleaveUpper(pairs, b, d));
}

template <class Element>
HWY_INLINE void transpose_square(const std::byte* x, std::size_t row_bytes, std::byte* out,
                                 std::size_t out_row_bytes) {
  constexpr std::size_t kSide = kLineBytes / sizeof(Element), kWidth = 16 / sizeof(Element);
  HWY_ALIGN Element square[kSide * kSide];
  for (std::size_t row = 0; row < kSide; ++row) {
    std::memcpy(square + row * kSide, x + row * row_bytes, kLineBytes);
  }
  for (std::size_t column = 0; column < kSide; column += kWidth) {
    for (std::size_t row = 0; row < kSide; row += kWidth) {
      transpose_block(square + row * kSide + column, kSide,
                      out + column * out_row_bytes + row * sizeof(Element), out_row_bytes);
    }
  }
}
#endif

/// Whole squares; what is left at the right and below is for the reference.
template <class Element>
HWY_INLINE void transpose_of(const std::byte* x, std::size_t n_rows, std::size_t n_columns,
                             std::size_t row_bytes, std::byte* out, std::size_t out_row_bytes) {
  constexpr std::size_t kSide = kLineBytes / sizeof(Element);
  const std::size_t rows = n_rows / kSide * kSide, columns = n_columns / kSide * kSide;
  for (std::size_t column = 0; column < columns; column += kSide) {
    for (std::size_t row = 0; row < rows; row += kSide) {
      transpose_square<Element>(x + row * row_bytes + column * sizeof(Element), row_bytes,
                                out + column * out_row_bytes + row * sizeof(Element),
                                out_row_bytes);
    }
  }
  detail::transpose_reference(x + columns * sizeof(Element), sizeof(Element), rows,
                              n_columns - columns, row_bytes, out + columns * out_row_bytes,
                              out_row_bytes);
  detail::transpose_reference(x + rows * row_bytes, sizeof(Element), n_rows - rows, n_columns,
                              row_bytes, out + rows * sizeof(Element), out_row_bytes);
}

void transpose(const std::byte* x, std::size_t element_bytes, std::size_t n_rows,
               std::size_t n_columns, std::size_t row_bytes, std::byte* out,
               std::size_t out_row_bytes) {
  if (element_bytes == 2) {
    transpose_of<std::uint16_t>(x, n_rows, n_columns, row_bytes, out, out_row_bytes);
  } else {
    transpose_of<std::uint32_t>(x, n_rows, n_columns, row_bytes, out, out_row_bytes);
  }
}

}  // namespace lq::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lq::kernels {

HWY_EXPORT(transpose);

void transpose(const std::byte* x, std::size_t element_bytes, std::size_t n_rows,
               std::size_t n_columns, std::size_t row_bytes, std::byte* out,
               std::size_t out_row_bytes) {
  if (use_reference()) {
    return detail::transpose_reference(x, element_bytes, n_rows, n_columns, row_bytes, out,
                                       out_row_bytes);
  }
  HWY_DYNAMIC_DISPATCH(transpose)
  (x, element_bytes, n_rows, n_columns, row_bytes, out, out_row_bytes);
}

}  // namespace lq::kernels
#endif  // HWY_ONCE
