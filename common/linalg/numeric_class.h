#pragma once
// What, beside the inputs, decides the bits of products.

#include <string>

namespace lq::linalg {

/// Version of the library of products and the instruction set that it uses on this processor, and
/// ours: "oneDNN 2.6.3 avx512_core_bf16, AVX3". Results are the same where this is.
std::string numeric_class();

}  // namespace lq::linalg
