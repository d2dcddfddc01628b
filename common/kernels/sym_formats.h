#pragma once
// The symmetric types as sym_search-inl.h searches them: codes -N..N-1 in sub-blocks, and how much
// is tried for each.

namespace lq::kernels::detail {

// How much is tried.
struct Effort {
  // Inverse scales of a sub-block. Candidate k puts its largest magnitude on N + step * (k - exact).
  int candidates;
  float step;
  int exact;
  int heavy_codes;  // codes 1, 2, ... to put the element of largest w x x on
  int window;       // integer scales tried on each side of the nearest
  int refits;       // of d to the codes
};

// 6-bit codes with 8-bit scales, and 3-bit codes with 6-bit scales.
struct FormatQ6K {
  static constexpr int kElems = 16;
  static constexpr int kN = 32;
  static constexpr int kScaleLo = -128;
  static constexpr int kScaleHi = 127;
  template <bool kWeighted>
  static constexpr Effort kEffort{6, 0.32F, 3, kWeighted ? 3 : 0, 2, 2};
};
struct FormatQ3K {
  static constexpr int kElems = 16;
  static constexpr int kN = 4;
  static constexpr int kScaleLo = -32;
  static constexpr int kScaleHi = 31;
  // Without importance d is not refitted and three candidates do: two more gain less than a
  // hundredth of the error for a sixth of the time.
  template <bool kWeighted>
  static constexpr Effort kEffort =
      kWeighted ? Effort{7, 0.32F, 5, 3, 2, 4} : Effort{3, 0.8F, 2, 0, 1, 0};
};
struct FormatQ4_0 {
  static constexpr int kElems = 32;
  static constexpr int kN = 8;
  template <bool kWeighted>
  static constexpr Effort kEffort{10, 0.25F, 6, 3, 0, 0};
};
struct FormatQ5_0 {
  static constexpr int kElems = 32;
  static constexpr int kN = 16;
  template <bool kWeighted>
  static constexpr Effort kEffort{10, 0.25F, 6, 3, 0, 0};
};

}  // namespace lq::kernels::detail
