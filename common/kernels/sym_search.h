#pragma once
// Choice of scales and codes for the symmetric types: x ~ scale * q with q in -N..N-1.
//
// Sub-blocks are the lanes. The search walks the elements of 16 sub-blocks side by side, each lane
// in the order of the plain loop, so that every instruction set gives the same bits as the
// reference. sym_search-inl.h has the algorithm, written once for a vector of any width; the
// reference runs it with one lane of plain float.
//
// The objective is sum w * (x - x')^2 with the caller's weights, or w = 1. llama.cpp minimises
// another sum (w depends on x there), fixes the super-block scale by the largest sub-block and
// never revisits it; here the integer sub-block scales and d are chosen together.

#include <cstddef>
#include <cstdint>

namespace lq::kernels {

inline constexpr int kSymLanes = 16;

/// A super-block of 16 sub-blocks of 16 elements: x ~ d * scales[s] * (codes[i] - N).
struct SymSuperBlock {
  std::uint16_t d;  // float16
  std::int8_t scales[kSymLanes];
  std::uint8_t codes[256];
};

/// One super-block. `weights` is nullptr or 256 positive values, at most about 1.
/// REQUIRES: |x| so small that d fits float16 (largest_magnitude() tells).
void sym_q6_k(const float* x, const float* weights, SymSuperBlock& out);
void sym_q3_k(const float* x, const float* weights, SymSuperBlock& out);

/// Up to kSymLanes blocks of 32 elements with a scale of their own: element i of block b is
/// d[b] * (codes[32 * b + i] - N).
struct SymBlocks32 {
  std::uint16_t d[kSymLanes];  // float16
  std::uint8_t codes[kSymLanes * 32];
};

/// `n_blocks` (at most kSymLanes) blocks: block b at x + 32 * b, its weights at weights[b].
void sym_q4_0(const float* x, const float* const* weights, int n_blocks, SymBlocks32& out);
void sym_q5_0(const float* x, const float* const* weights, int n_blocks, SymBlocks32& out);

}  // namespace lq::kernels
