#pragma once
// Products through oneDNN, one thread each: the one place that knows the library. All functions are
// to be called from an item of parallel_for, where the library uses no threads of its own.

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/linalg/matrix.h"

namespace lq::linalg {

/// Whether what is in the result counts.
enum class Into : std::uint8_t { kReplace, kAdd };

}  // namespace lq::linalg

namespace lq::linalg::onednn {

/// A factor in memory: [rows, columns] of the type of `Compute`, `stride` elements between rows.
struct Factor {
  const std::byte* data = nullptr;
  std::size_t rows = 0, columns = 0, stride = 0;
};

/// How the right factor of a b^T lies in memory.
enum class Right : std::uint8_t {
  kRows,     // b [n, k]
  kColumns,  // its transpose [k, n]
  kPacked,   // b [n, k] as pack() left it
};

/// c [a.rows, n] = a b^T, or added to it; `c_stride` floats between rows. Where the processor has
/// no bfloat16 products, the library's float32 ones do on the same values. The library's best code
/// wants factors and result without gaps. Throws ConversionError with what the library says where it
/// fails. REQUIRES: equal k, not kReference.
void multiply(const Factor& a, const Factor& b, Right right, Compute compute, float* c,
              std::size_t c_stride, Into into);

/// What a thread keeps, at most, for products of up to `rows` by `n` over k terms, and the library
/// for its own.
std::size_t scratch_bytes(std::size_t rows, std::size_t n, std::size_t k, Compute compute);

/// Bytes of b [n, k] in the order that products of many rows with it read fastest.
std::size_t packed_bytes(std::size_t n, std::size_t k, Compute compute);
/// Brings b, given as its transpose [k, n], into that order.
void pack(const Factor& b_transposed, Compute compute, std::byte* packed);

/// Version and the best instruction set that it uses here: "2.6.3 avx512_core_bf16".
std::string description();

}  // namespace lq::linalg::onednn
