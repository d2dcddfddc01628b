#pragma once
// Constants of the GGUF container. All integers are little endian.
//
//   "GGUF"  u32 version  i64 tensor_count  i64 kv_count
//   kv_count times:      string key, u32 value type, value
//   tensor_count times:  string name, u32 n_dims, u64 dims[n_dims] (row length first),
//                        u32 type, u64 offset
//   zeros up to a multiple of the alignment
//   data:                each tensor at its offset from here, padded with zeros to the alignment,
//                        in the order of the descriptions
//
// A string is its u64 length in bytes and then the bytes; an array is u32 element type, u64 count,
// elements.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lq::gguf {

static_assert(std::endian::native == std::endian::little,
              "headers are read and written in the byte order of the machine");

inline constexpr std::array<char, 4> kMagic = {'G', 'G', 'U', 'F'};
inline constexpr std::uint32_t kVersion = 3;
inline constexpr std::uint32_t kOldestVersion = 2;  // the same layout
inline constexpr std::uint32_t kAlignment = 32;
inline constexpr std::size_t kMaxTensorName = 63;
inline constexpr std::size_t kMaxKey = 65535;
inline constexpr std::size_t kMaxDims = 4;
/// Elements have at most 8 bytes; below this count, sums of sizes are far from overflow.
inline constexpr std::uint64_t kMaxElems = std::uint64_t{1} << 59;

inline constexpr std::string_view kAlignmentKey = "general.alignment";
inline constexpr std::string_view kArchitectureKey = "general.architecture";
inline constexpr std::string_view kSplitNumberKey = "split.no";    // uint16, from 0
inline constexpr std::string_view kSplitCountKey = "split.count";  // uint16
inline constexpr std::string_view kSplitTensorsKey =
    "split.tensors.count";  // int32, over all parts

// Value type ids. An id below kArrayType is the position of the type in Value's list, one above it
// is one more.
inline constexpr std::uint32_t kArrayType = 9;
inline constexpr std::uint32_t kNumValueTypes = 13;
inline constexpr std::size_t kNumScalarTypes = kNumValueTypes - 1;

/// `bytes` rounded up to a multiple of `alignment`, a power of two. REQUIRES: no overflow.
constexpr std::uint64_t align_up(std::uint64_t bytes, std::uint64_t alignment = kAlignment) {
  return (bytes + alignment - 1) & ~(alignment - 1);
}

}  // namespace lq::gguf
