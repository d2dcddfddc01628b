#pragma once
// The joint fit of super-blocks: float16 d and dmin over integer fields of each sub-block,
//   x ~ d * sub_scale * code - dmin * sub_min.
//
// Each sub-block is first fitted by itself. The fields are then the nearest ones, and from there
// two moves alternate: for given codes the error is a quadratic form in scales and offsets, so the
// best fields near the present ones and the least squares d and dmin follow from five sums per
// sub-block; new scales give new codes. Before the last round the neighbouring scale fields are
// tried with codes of their own, one sub-block at a time. The best state seen is kept.

#include "common/kernels/affine_search.h"

namespace lq::kernels {

/// How long to search; each step costs about as much as a candidate and a half.
struct AffineEffort {
  AffineCandidates candidates;
  int rounds;  // fields, then d and dmin, then codes again
  int probes;  // neighbouring scale fields tried with codes of their own, before the last round
};

/// Fits the super-blocks of a tile, `subs` sub-blocks each (8 or 16). d and dmin of the result are
/// values of float16, the fields integers in 0..max_field. REQUIRES: no element so large that d or
/// dmin leave float16's range.
void fit_super_blocks(const AffineKernels& kernels, const AffineShape& shape,
                      const AffineEffort& effort, int subs, float max_field, const AffineTile& tile,
                      AffineFields& fields);

/// Fits the sixteen sub-blocks of a tile each by itself, with float16 scale d and minimum:
/// x ~ d * code + minimum. `fit` has the scale and the offset, origin - minimum, that they make.
/// No probes. REQUIRES: shape.free_offset; no scale or minimum beyond float16.
void fit_single_blocks(const AffineKernels& kernels, const AffineShape& shape,
                       const AffineEffort& effort, const AffineTile& tile, AffineFit& fit,
                       AffineLanes& minimum);

/// The scale and offset, relative to the origins of the tile, that the fields stand for.
void fields_to_fit(const AffineTile& tile, const AffineFields& fields, AffineFit& fit);

/// Nearest codes for the fields, and their sums.
void measure_fields(const AffineKernels& kernels, const AffineShape& shape, const AffineTile& tile,
                    const AffineFields& fields, AffineSums& sums);

}  // namespace lq::kernels
