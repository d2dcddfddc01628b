#pragma once
// The seam between codecs and solvers. A block of a quantized type, once its scale fields are
// fixed, offers each element a grid of evenly spaced values: value = scale * code - offset with an
// integer code in 0..max_code. A codec describes that grid and packs codes chosen by anyone; a
// solver chooses codes without knowing the format.

#include <array>
#include <cstdint>

namespace lq::tensor {

inline constexpr int kMaxBlockElems = 256;
inline constexpr int kMaxSubBlocks = 16;

/// The grid of one block. Sub-block s holds elements [s * sub_elems, (s + 1) * sub_elems).
struct BlockGrid {
  int block_elems = 0;
  int sub_elems = 0;
  int max_code = 0;       // codes are 0..max_code
  float d = 0, dmin = 0;  // super-block scales as stored (already rounded to float16)
  // Integer scale fields per sub-block as the formulas of the format use them; 1 and 0 where a type
  // has none.
  std::array<std::int32_t, kMaxSubBlocks> sub_scale{};
  std::array<std::int32_t, kMaxSubBlocks> sub_min{};
  std::int32_t sub_scale_lo = 0, sub_scale_hi = 0;  // range of the scale field
  std::int32_t sub_min_hi = 0;                      // range of the min field is 0..sub_min_hi
  std::int32_t code_bias =
      0;  // types without a minimum: value = d * sub_scale * (code - code_bias)

  int sub_blocks() const { return block_elems / sub_elems; }

  /// value = scale(s) * code - offset(s); each is rounded to float32 once.
  float scale(int s) const {
    return d * static_cast<float>(sub_scale[static_cast<std::size_t>(s)]);
  }
  float offset(int s) const;
};

}  // namespace lq::tensor
