#pragma once
// What, beside the inputs, decides the bits of products.

#include <string>

namespace lq::linalg {

/// The libraries of products and of factors, each with its version and the instruction set that it
/// uses on this processor, and our own: "oneDNN 2.6.3 avx512_core_bf16, OpenBLAS 0.3.21 SkylakeX,
/// AVX3". Results are the same where this is.
std::string numeric_class();

}  // namespace lq::linalg
