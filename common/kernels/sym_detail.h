#pragma once
// What the search of sym_search-inl.h calls outside of its own target, and the reference that the
// dispatcher falls back to.

#include <cstdint>

#include "common/kernels/sym_search.h"

namespace lq::kernels::detail {

std::uint16_t half_bits(float value);
/// The nearest float16, as float; the largest finite one instead of infinity.
float round_to_half(float value);

void sym_q6_k_reference(const float* x, const float* weights, SymSuperBlock& out);
void sym_q3_k_reference(const float* x, const float* weights, SymSuperBlock& out);
void sym_q4_0_reference(const float* x, const float* const* weights, int n_blocks,
                        SymBlocks32& out);
void sym_q5_0_reference(const float* x, const float* const* weights, int n_blocks,
                        SymBlocks32& out);

}  // namespace lq::kernels::detail
