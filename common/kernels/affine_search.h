#pragma once
// Fitting blocks to x ~ scale * code - offset: the steps of the search, each working on sixteen
// sub-blocks side by side.
//
// A tile holds the sub-blocks as lanes: row i of the tile is element i of every sub-block. A lane
// never looks at another, and every lane does the same additions in the same order whatever the
// width of the vectors, so a sub-block gets the same result on each instruction set and wherever
// in a tile it lies. affine_scalar.cpp says what each step computes, affine_simd.cpp does the same
// with vectors; tests hold the two equal bit for bit.
//
// Elements are kept relative to an origin of their sub-block (the smallest element, or zero where a
// format has no positive offset), so that sums of squares do not drown a small range behind a large
// mean. Offsets inside the search are relative to it as well: x - origin ~ scale * code - offset.

#include <cstdint>

namespace lq::kernels {

inline constexpr int kAffineLanes = 16;
inline constexpr int kAffineMaxElems = 32;

/// Above it 1 / x is finite.
inline constexpr float kSmallestInvertible = 2.9387360e-39F;

/// Codes are all alike when their weighted variance is at most this share of their mean square.
inline constexpr float kFlat = 1e-5F;

/// What the search knows of a format.
struct AffineShape {
  int sub_elems;     // elements of a sub-block, 16 or 32
  float max_code;    // codes are 0..max_code
  bool free_offset;  // the offset may have either sign; otherwise it is never negative
};

/// Sixteen numbers, one per sub-block.
struct alignas(64) AffineLanes {
  float v[kAffineLanes];
};

struct AffineTile {
  bool weighted;
  AffineLanes y[kAffineMaxElems];  // element minus origin, >= 0
  AffineLanes
      w[kAffineMaxElems];  // weight of its squared error, > 0; unset and taken as 1 where !weighted
  AffineLanes origin;
  AffineLanes range;  // largest y
  AffineLanes sum_w, sum_wy;
};

/// How many parts the candidates of the search divide the range into: max_code and max_code - 1,
/// grids between the extremes, which are exact for values that lie on such a grid (or on one of
/// half as many parts); then max_code + first, max_code + first + step, ... from the best origin so
/// far.
struct AffineCandidates {
  static constexpr int kFixed = 2;
  float first, step;
  int count;

  float parts(int k, float max_code) const {
    if (k < kFixed) return max_code - static_cast<float>(k);
    return max_code + (first + step * static_cast<float>(k - kFixed));
  }
};

struct AffineFit {
  AffineLanes scale, offset;
};

/// Sums over one sub-block for codes q and residuals r = scale * q - offset - y.
struct AffineSums {
  AffineLanes err;      // w r r
  AffineLanes wr, wrq;  // w r, w r q
  AffineLanes wq, wqq;  // w q, w q q
};

/// Scale and offset as the block stores them: scale = d * sub_scale, offset = dmin * sub_min.
struct AffineFields {
  AffineLanes d, dmin;
  AffineLanes sub_scale, sub_min;
};

/// Changes of a scale field to try: low, low + 1 .. high.
struct AffineMoves {
  float low, high;
};

struct AffineCodes {
  alignas(64) std::uint8_t q[kAffineMaxElems][kAffineLanes];
};

/// Sixteen blocks of 32 on the grid from their smallest element to their largest.
struct AffineMinMax {
  float scale[kAffineLanes], minimum[kAffineLanes];
  alignas(64) std::uint8_t q[kAffineLanes][kAffineMaxElems];  // by block
};

/// The steps for one instruction set. REQUIRES of all: finite inputs, the sub_elems of the shape.
struct AffineKernels {
  /// Fills the tile from sixteen sub-blocks of elements, one after another, and the weights of each
  /// (w == nullptr: all one).
  void (*load)(const AffineShape& shape, const float* x, const float* const* w, AffineTile& tile);
  /// Best of the candidates, each with its weighted least squares scale and offset.
  void (*search)(const AffineShape& shape, const AffineTile& tile,
                 const AffineCandidates& candidates, AffineFit& fit);
  /// Nearest codes for a given scale and offset, and their sums.
  void (*measure)(const AffineShape& shape, const AffineTile& tile, const AffineFit& fit,
                  AffineSums& sums);
  /// For the codes behind `sums`, the best of the scale fields that the moves reach, each with the
  /// minimum field that suits it; the sums are moved along to the new fields.
  void (*choose)(const AffineTile& tile, float max_field, AffineMoves moves, AffineFields& fields,
                 AffineSums& sums);
  /// Nearest codes.
  void (*codes)(const AffineShape& shape, const AffineTile& tile, const AffineFit& fit,
                AffineCodes& codes);
  /// Sixteen blocks of 32, one after another: x ~ scale * q + minimum with scale = (max - min) /
  /// max_code and codes rounded half up, in float32, as ggml has it.
  void (*min_max)(const float* x, float max_code, AffineMinMax& blocks);
};

/// The reference, which defines the result.
const AffineKernels& affine_scalar();
/// The vectors of this machine, or the reference where LQ_SIMD asks for it.
const AffineKernels& affine_kernels();

}  // namespace lq::kernels
