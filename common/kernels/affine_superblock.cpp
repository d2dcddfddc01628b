#include "common/kernels/affine_superblock.h"

#include <algorithm>
#include <cmath>

#include "common/tensor/convert.h"

namespace lq::kernels {
namespace {

float to_f16(float value) { return tensor::f16_to_f32(tensor::f32_to_f16(value)); }

// Nearest integer, ties to even, of 0..2^22.
float nearest(float value) { return (value + 12582912.0F) - 12582912.0F; }

float field_of(float value, float d, float max_field) {
  return d > 0 ? nearest(std::clamp(value / d, 0.0F, max_field)) : 0.0F;
}

// The float16 that lets max_field reach `largest`: the next above where rounding fell clearly
// short, as it does among float16's denormals.
float unit_for(float largest, float max_field) {
  const std::uint16_t bits = tensor::f32_to_f16(std::min(largest / max_field, 65504.0F));
  const float value = tensor::f16_to_f32(bits);
  if (value < 6.0e-5F && value * max_field < 0.99F * largest) {
    return tensor::f16_to_f32(static_cast<std::uint16_t>(bits + 1));
  }
  return value;
}

// Least squares d and dmin of one super-block for given codes and fields.
void refit(const AffineTile& tile, const AffineSums& sums, int first, int subs,
           AffineFields& fields) {
  float aa = 0, ab = 0, bb = 0, ra = 0, rb = 0;
  for (int s = first; s < first + subs; ++s) {
    const float u = fields.sub_scale.v[s], v = fields.sub_min.v[s];
    aa += u * u * sums.wqq.v[s];
    ab += u * v * sums.wq.v[s];
    bb += v * v * tile.sum_w.v[s];
    ra += u * sums.wrq.v[s];
    rb += v * sums.wr.v[s];
  }
  float d = fields.d.v[first], dmin = fields.dmin.v[first];
  if (!(aa > 0)) return;
  const float det = aa * bb - ab * ab;
  float step = -ra / aa;
  if (det > 1e-6F * aa * bb) step = (ab * rb - bb * ra) / det;
  const float new_d = to_f16(d + step);
  if (!(new_d > 0) || !std::isfinite(new_d)) return;
  float new_dmin = dmin;
  if (bb > 0) new_dmin = to_f16(dmin + (rb + (new_d - d) * ab) / bb);
  if (!(new_dmin >= 0) || !std::isfinite(new_dmin)) return;
  for (int s = first; s < first + subs; ++s) {
    fields.d.v[s] = new_d;
    fields.dmin.v[s] = new_dmin;
  }
}

void start(const AffineTile& tile, const AffineFit& fit, int first, int subs, float max_field,
           AffineFields& fields) {
  float top_scale = 0, top_offset = 0;
  for (int s = first; s < first + subs; ++s) {
    top_scale = std::max(top_scale, fit.scale.v[s]);
    top_offset = std::max(top_offset, fit.offset.v[s] - tile.origin.v[s]);
  }
  const float d = unit_for(top_scale, max_field), dmin = unit_for(top_offset, max_field);
  for (int s = first; s < first + subs; ++s) {
    fields.d.v[s] = d;
    fields.dmin.v[s] = dmin;
    fields.sub_scale.v[s] = field_of(fit.scale.v[s], d, max_field);
    fields.sub_min.v[s] = field_of(fit.offset.v[s] - tile.origin.v[s], dmin, max_field);
  }
}

// Takes over one lane of a better state.
void take(const AffineFields& from_fields, const AffineSums& from_sums, int s, AffineFields& fields,
          AffineSums& sums) {
  fields.d.v[s] = from_fields.d.v[s];
  fields.dmin.v[s] = from_fields.dmin.v[s];
  fields.sub_scale.v[s] = from_fields.sub_scale.v[s];
  fields.sub_min.v[s] = from_fields.sub_min.v[s];
  sums.err.v[s] = from_sums.err.v[s];
  sums.wr.v[s] = from_sums.wr.v[s];
  sums.wrq.v[s] = from_sums.wrq.v[s];
  sums.wq.v[s] = from_sums.wq.v[s];
  sums.wqq.v[s] = from_sums.wqq.v[s];
}

float total(const AffineSums& sums, int first, int subs) {
  float error = 0;
  for (int s = first; s < first + subs; ++s) error += sums.err.v[s];
  return error;
}

// The neighbours of each scale field in turn, with codes of their own.
void probe(const AffineKernels& kernels, const AffineShape& shape, int probes, float max_field,
           const AffineTile& tile, AffineFields& fields, AffineSums& sums) {
  for (int k = 0; k < probes; ++k) {
    const float move = k % 2 == 0 ? -1.0F : 1.0F;
    AffineFields trial = fields;
    AffineSums trial_sums = sums;
    kernels.choose(tile, max_field, {move, move}, trial, trial_sums);
    measure_fields(kernels, shape, tile, trial, trial_sums);
    for (int s = 0; s < kAffineLanes; ++s) {
      if (trial_sums.err.v[s] < sums.err.v[s]) take(trial, trial_sums, s, fields, sums);
    }
  }
}

}  // namespace

void fields_to_fit(const AffineTile& tile, const AffineFields& fields, AffineFit& fit) {
  for (int s = 0; s < kAffineLanes; ++s) {
    fit.scale.v[s] = fields.d.v[s] * fields.sub_scale.v[s];
    fit.offset.v[s] = fields.dmin.v[s] * fields.sub_min.v[s] + tile.origin.v[s];
  }
}

void measure_fields(const AffineKernels& kernels, const AffineShape& shape, const AffineTile& tile,
                    const AffineFields& fields, AffineSums& sums) {
  AffineFit fit;
  fields_to_fit(tile, fields, fit);
  kernels.measure(shape, tile, fit, sums);
}

void fit_super_blocks(const AffineKernels& kernels, const AffineShape& shape,
                      const AffineEffort& effort, int subs, float max_field, const AffineTile& tile,
                      AffineFields& best) {
  AffineFit fit;
  kernels.search(shape, tile, effort.candidates, fit);
  for (int first = 0; first < kAffineLanes; first += subs) {
    start(tile, fit, first, subs, max_field, best);
  }
  AffineSums best_sums;
  measure_fields(kernels, shape, tile, best, best_sums);
  AffineFields fields = best;
  AffineSums sums = best_sums;
  for (int round = 1; round <= effort.rounds; ++round) {
    if (round == effort.rounds) {
      probe(kernels, shape, effort.probes, max_field, tile, best, best_sums);
      fields = best;
      sums = best_sums;
    }
    kernels.choose(tile, max_field, {-1, 1}, fields, sums);
    for (int first = 0; first < kAffineLanes; first += subs) refit(tile, sums, first, subs, fields);
    measure_fields(kernels, shape, tile, fields, sums);
    for (int first = 0; first < kAffineLanes; first += subs) {
      if (total(sums, first, subs) < total(best_sums, first, subs)) {
        for (int s = first; s < first + subs; ++s) take(fields, sums, s, best, best_sums);
      }
    }
  }
}

void fit_single_blocks(const AffineKernels& kernels, const AffineShape& shape,
                       const AffineEffort& effort, const AffineTile& tile, AffineFit& best,
                       AffineLanes& minimum) {
  AffineFit fit;
  kernels.search(shape, tile, effort.candidates, fit);
  AffineLanes low;
  AffineSums sums;
  float best_error[kAffineLanes] = {};
  for (int round = 0;; ++round) {
    for (int s = 0; s < kAffineLanes; ++s) {
      fit.scale.v[s] = unit_for(fit.scale.v[s], 1.0F);
      low.v[s] = to_f16(tile.origin.v[s] - fit.offset.v[s]);
      fit.offset.v[s] = tile.origin.v[s] - low.v[s];
    }
    kernels.measure(shape, tile, fit, sums);
    for (int s = 0; s < kAffineLanes; ++s) {
      if (round == 0 || sums.err.v[s] < best_error[s]) {
        best_error[s] = sums.err.v[s];
        best.scale.v[s] = fit.scale.v[s];
        best.offset.v[s] = fit.offset.v[s];
        minimum.v[s] = low.v[s];
      }
    }
    if (round == effort.rounds) return;
    for (int s = 0; s < kAffineLanes; ++s) {
      const float w = tile.sum_w.v[s], wq = sums.wq.v[s], wqq = sums.wqq.v[s];
      const float det = w * wqq - wq * wq;
      if (!(det > 0)) continue;
      // The scale is rounded before the offset that goes with it is taken.
      const float scale =
          unit_for(fit.scale.v[s] + (wq * sums.wr.v[s] - w * sums.wrq.v[s]) / det, 1.0F);
      fit.offset.v[s] += (sums.wr.v[s] + (scale - fit.scale.v[s]) * wq) / w;
      fit.scale.v[s] = scale;
    }
  }
}

}  // namespace lq::kernels
