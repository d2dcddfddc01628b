// The steps of affine_search.h, one sub-block at a time: the definition that the vectors repeat.

#include <algorithm>

#include "common/kernels/affine_search.h"

namespace lq::kernels {
namespace {

// Nearest integer, ties to even, of values in 0..2^22: the sum has no bits left for a fraction.
float nearest(float value) { return (value + 12582912.0F) - 12582912.0F; }

float inverse_or_zero(float value) { return value > 0 ? 1.0F / value : 0.0F; }

float code(float y, float offset, float inverse, float max_code) {
  return nearest(std::min(std::max((y + offset) * inverse, 0.0F), max_code));
}

void load(const AffineShape& shape, const float* x, const float* const* w, AffineTile& tile) {
  tile.weighted = w != nullptr;
  for (int s = 0; s < kAffineLanes; ++s, x += shape.sub_elems) {
    float low = x[0], high = x[0];
    for (int i = 1; i < shape.sub_elems; ++i) {
      low = std::min(low, x[i]);
      high = std::max(high, x[i]);
    }
    if (!shape.free_offset) low = std::min(low, 0.0F);
    low += 0.0F;  // which of two zeros is the smallest shall not matter
    tile.origin.v[s] = low;
    tile.range.v[s] = (high - low) + 0.0F;
    float sum_w = 0, sum_wy = 0;
    for (int i = 0; i < shape.sub_elems; ++i) {
      const float y = x[i] - low, weight = w != nullptr ? w[s][i] : 1.0F;
      tile.y[i].v[s] = y;
      if (tile.weighted) tile.w[i].v[s] = weight;
      sum_w += weight;
      sum_wy += weight * y;
    }
    tile.sum_w.v[s] = sum_w;
    tile.sum_wy.v[s] = sum_wy;
  }
}

float weigh(const AffineTile& tile, int i, int s) { return tile.weighted ? tile.w[i].v[s] : 1.0F; }

void search(const AffineShape& shape, const AffineTile& tile, const AffineCandidates& candidates,
            AffineFit& fit) {
  for (int s = 0; s < kAffineLanes; ++s) {
    const float lowest = shape.free_offset ? -3.0e38F : tile.origin.v[s];
    const float sum_w = tile.sum_w.v[s], sum_wy = tile.sum_wy.v[s];
    float best = 0, scale = 0, offset = 0, best_offset = 0;
    for (int k = 0; k < candidates.count; ++k) {
      if (k >= AffineCandidates::kFixed) offset = best_offset;
      const float parts = candidates.parts(k, shape.max_code);
      const float inverse = parts * inverse_or_zero(tile.range.v[s] + offset);
      float wq = 0, wqq = 0, wqy = 0;
      for (int i = 0; i < shape.sub_elems; ++i) {
        const float y = tile.y[i].v[s];
        const float q = code(y, offset, inverse, shape.max_code);
        const float wiq = weigh(tile, i, s) * q;
        wq += wiq;
        wqq += wiq * q;
        wqy += wiq * y;
      }
      // Least squares for these codes. An offset below its bound is put there, and so is the one
      // of codes all alike, which leave it open.
      const float det = sum_w * wqq - wq * wq, b_part = wq * wqy - wqq * sum_wy;
      const bool below = det <= kFlat * (sum_w * wqq) || b_part < lowest * det;
      const float inv = inverse_or_zero(below ? wqq : det);
      const float a = (below ? wqy + lowest * wq : sum_w * wqy - wq * sum_wy) * inv;
      const float b = below ? lowest : b_part * inv;
      // How much of sum w y y these codes explain.
      const float linear = 2.0F * (a * wqy - b * sum_wy);
      const float square = a * (a * wqq - 2.0F * (b * wq)) + (b * b) * sum_w;
      const float gain = linear - square;
      if (gain > best) {
        best = gain;
        scale = a;
        best_offset = b;
      }
    }
    fit.scale.v[s] = scale;
    fit.offset.v[s] = best_offset;
  }
}

void measure(const AffineShape& shape, const AffineTile& tile, const AffineFit& fit,
             AffineSums& sums) {
  for (int s = 0; s < kAffineLanes; ++s) {
    const float a = fit.scale.v[s], b = fit.offset.v[s], inverse = inverse_or_zero(a);
    float err = 0, wr = 0, wrq = 0, wq = 0, wqq = 0;
    for (int i = 0; i < shape.sub_elems; ++i) {
      const float y = tile.y[i].v[s], w = weigh(tile, i, s);
      const float q = code(y, b, inverse, shape.max_code);
      const float r = (a * q - b) - y;
      err += (w * r) * r;
      wr += w * r;
      wrq += (w * r) * q;
      wq += w * q;
      wqq += (w * q) * q;
    }
    sums.err.v[s] = err;
    sums.wr.v[s] = wr;
    sums.wrq.v[s] = wrq;
    sums.wq.v[s] = wq;
    sums.wqq.v[s] = wqq;
  }
}

void choose(const AffineTile& tile, float max_field, AffineMoves moves, AffineFields& fields,
            AffineSums& sums) {
  for (int s = 0; s < kAffineLanes; ++s) {
    const float d = fields.d.v[s], dmin = fields.dmin.v[s];
    const float sc = fields.sub_scale.v[s], mn = fields.sub_min.v[s];
    const float err = sums.err.v[s], wr = sums.wr.v[s], wrq = sums.wrq.v[s];
    const float wq = sums.wq.v[s], wqq = sums.wqq.v[s], sum_w = tile.sum_w.v[s];
    const float inv_w = inverse_or_zero(sum_w), inv_dmin = inverse_or_zero(dmin);
    float best = 3.0e38F, best_da = 0, best_db = 0, best_sc = sc, best_mn = mn;
    for (float move = moves.low; move <= moves.high; ++move) {
      const float new_sc = std::min(std::max(sc + move, 0.0F), max_field);
      const float da = d * (new_sc - sc);
      // The offset that suits this scale, then the field nearest to it.
      const float ideal = ((wr + da * wq) * inv_w) * inv_dmin;
      const float new_mn = nearest(std::min(std::max(mn + ideal, 0.0F), max_field));
      const float db = dmin * (new_mn - mn);
      // sum w (r + da q - db)^2
      const float linear = 2.0F * (da * wrq - db * wr);
      const float square = da * (da * wqq - 2.0F * (db * wq)) + (db * db) * sum_w;
      const float total = err + (linear + square);
      if (total < best) {
        best = total;
        best_da = da;
        best_db = db;
        best_sc = new_sc;
        best_mn = new_mn;
      }
    }
    sums.err.v[s] = best;
    sums.wr.v[s] = (wr + best_da * wq) - best_db * sum_w;
    sums.wrq.v[s] = (wrq + best_da * wqq) - best_db * wq;
    fields.sub_scale.v[s] = best_sc;
    fields.sub_min.v[s] = best_mn;
  }
}

void codes(const AffineShape& shape, const AffineTile& tile, const AffineFit& fit,
           AffineCodes& out) {
  for (int s = 0; s < kAffineLanes; ++s) {
    const float b = fit.offset.v[s], inverse = inverse_or_zero(fit.scale.v[s]);
    for (int i = 0; i < shape.sub_elems; ++i) {
      out.q[i][s] = static_cast<std::uint8_t>(code(tile.y[i].v[s], b, inverse, shape.max_code));
    }
  }
}

void min_max(const float* x, float max_code, AffineMinMax& blocks) {
  for (int b = 0; b < kAffineLanes; ++b, x += kAffineMaxElems) {
    const float low = *std::min_element(x, x + kAffineMaxElems);
    const float high = *std::max_element(x, x + kAffineMaxElems);
    const float scale = (high - low) / max_code;
    // A scale so small that its inverse overflows leaves no codes but zero.
    const float inverse = scale > kSmallestInvertible ? 1.0F / scale : 0.0F;
    blocks.scale[b] = scale;
    blocks.minimum[b] = low;
    for (int i = 0; i < kAffineMaxElems; ++i) {
      const float scaled = (x[i] - low) * inverse + 0.5F;
      blocks.q[b][i] = static_cast<std::uint8_t>(std::min(scaled, max_code));
    }
  }
}

}  // namespace

const AffineKernels& affine_scalar() {
  static constexpr AffineKernels kKernels = {load, search, measure, choose, codes, min_max};
  return kKernels;
}

}  // namespace lq::kernels
