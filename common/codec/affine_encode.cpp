#include "common/codec/affine_encode.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "common/base/errors.h"
#include "common/codec/q2_k.h"
#include "common/codec/q4_1.h"
#include "common/codec/q4_k.h"
#include "common/codec/q5_1.h"
#include "common/codec/q5_k.h"
#include "common/kernels/affine_superblock.h"

namespace lq::codec {
namespace {

using kernels::AffineCodes;
using kernels::AffineFields;
using kernels::AffineTile;
using kernels::kAffineLanes;

struct SuperFormat {
  const char* name;
  kernels::AffineShape shape;
  int subs;                // sub-blocks of a super-block
  float max_field;         // of scales and minima
  double share_of_median;  // see normal_weights()
  kernels::AffineEffort plain, weighted;
};

struct SingleFormat {
  const char* name;
  kernels::AffineShape shape;
  double share_of_median;  // see normal_weights()
  kernels::AffineEffort weighted;
};

// The weights of a column's errors: its importance and a share of the median importance. Importance
// is measured on few tokens, and fitting it to the letter gave up more of the other columns than it
// won: the divergence of whole models was least near this share. The median, because a mean is what
// one dominant column makes it, which would even out all the others. The largest weight is one, so
// that sums stay in range, and none is so small that its column is lost.
std::vector<float> normal_weights(const Rows& rows, double share_of_median) {
  if (rows.importance == nullptr) return {};
  constexpr double kLeast = 0x1p-16;  // lighter ones could not be told from none: see kFlat
  std::vector<float> weights(rows.importance, rows.importance + rows.row_elems);
  const double largest = *std::ranges::max_element(weights);
  if (largest == 0) return std::vector<float>(weights.size(), 1.0F);
  std::vector<float> sorted = weights;
  const auto middle = sorted.begin() + rows.row_elems / 2;
  std::ranges::nth_element(sorted, middle);
  const double floor = share_of_median * *middle;
  for (float& w : weights) {
    w = static_cast<float>(std::max(kLeast, (w + floor) / (largest + floor)));
  }
  return weights;
}

// 65520 and more round to infinity.
bool fits_half(float value) { return value > -65520.0F && value < 65520.0F; }

// Sixteen sub-blocks at a time: their elements, zeros past the end, and the weights of each.
class TileWalk {
 public:
  TileWalk(const Rows& rows, int sub_elems, double share_of_median)
      : rows_(rows),
        sub_elems_(sub_elems),
        n_elems_(rows.n_rows * rows.row_elems),
        weights_(normal_weights(rows, share_of_median)) {}

  bool done() const { return at_ >= n_elems_; }
  void next() { at_ += tile_elems(); }
  int held_subs() const {
    return static_cast<int>(std::min(tile_elems(), n_elems_ - at_) / sub_elems_);
  }
  const float* elements() {
    const std::int64_t held = n_elems_ - at_;
    const float* x = rows_.x + at_;
    if (held >= tile_elems()) return x;
    std::fill(std::copy(x, x + held, padded_), padded_ + tile_elems(), 0.0F);
    return padded_;
  }
  [[noreturn]] void throw_beyond(const char* type, int sub, float value) const {
    const std::int64_t first = at_ + std::int64_t{sub} * sub_elems_;
    const std::int64_t column = first % rows_.row_elems;
    throw base::ConversionError(
        fmt::format("cannot encode row {}, columns {} to {} as {}",
                    rows_.first_row + first / rows_.row_elems, column, column + sub_elems_ - 1,
                    type),
        fmt::format("the value {:g} needs a block scale beyond 65504, the largest float16", value),
        "choose BF16 or F32 for this tensor with --tensor-type");
  }
  /// nullptr without importance.
  const float* const* weights() {
    if (weights_.empty()) return nullptr;
    std::int64_t column = at_ % rows_.row_elems;
    for (const float*& w : lanes_) {
      w = weights_.data() + column;
      column += sub_elems_;
      if (column == rows_.row_elems) column = 0;
    }
    return lanes_;
  }

 private:
  std::int64_t tile_elems() const { return std::int64_t{sub_elems_} * kAffineLanes; }

  const Rows& rows_;
  const int sub_elems_;
  const std::int64_t n_elems_;
  const std::vector<float> weights_;
  std::int64_t at_ = 0;
  const float* lanes_[kAffineLanes] = {};
  float padded_[kernels::kAffineMaxElems * kAffineLanes];
};

void check_range(const SuperFormat& format, const AffineTile& tile, const TileWalk& walk) {
  constexpr float kLargestHalf = 65504.0F;
  const float low = kLargestHalf * format.max_field, high = low * format.shape.max_code;
  for (int s = 0; s < kAffineLanes; ++s) {
    if (-tile.origin.v[s] > low) walk.throw_beyond(format.name, s, tile.origin.v[s]);
    if (tile.range.v[s] + tile.origin.v[s] > high) {
      walk.throw_beyond(format.name, s, tile.range.v[s] + tile.origin.v[s]);
    }
  }
}

template <class Block, void (*kPack)(const AffineFields&, const AffineCodes&, int first, Block&)>
void encode_super_blocks(const SuperFormat& format, const Rows& rows, std::byte* out) {
  const auto& kernels = kernels::affine_kernels();
  const auto& effort = rows.importance != nullptr ? format.weighted : format.plain;
  AffineTile tile;
  AffineFields fields;
  AffineCodes codes;
  kernels::AffineFit fit;
  for (TileWalk walk(rows, format.shape.sub_elems, format.share_of_median); !walk.done();
       walk.next()) {
    kernels.load(format.shape, walk.elements(), walk.weights(), tile);
    check_range(format, tile, walk);
    kernels::fit_super_blocks(kernels, format.shape, effort, format.subs, format.max_field, tile,
                              fields);
    kernels::fields_to_fit(tile, fields, fit);
    kernels.codes(format.shape, tile, fit, codes);
    for (int s = 0; s < walk.held_subs(); s += format.subs, out += sizeof(Block)) {
      Block block;
      kPack(fields, codes, s, block);
      store_block(block, out);
    }
  }
}

unsigned field(const kernels::AffineLanes& lanes, int s) {
  return static_cast<unsigned>(lanes.v[s]);
}

// Codes of element i in eight neighbouring sub-blocks, the first in the lowest byte.
std::uint64_t eight_codes(const AffineCodes& codes, int i, int first) {
  std::uint64_t v = 0;
  std::memcpy(&v, &codes.q[i][first], sizeof v);
  return v;
}

// Bit s is bit 0 of byte s: the product moves it to bit 56 + s.
std::uint8_t gather_bits(std::uint64_t bytes) {
  return static_cast<std::uint8_t>((bytes & 0x0101010101010101U) * 0x0102040810204080U >> 56);
}

void pack_six_bit(const AffineFields& fields, int first, std::uint8_t (&scales)[12]) {
  for (int s = 0; s < 4; ++s) {
    const unsigned sc = field(fields.sub_scale, first + s), mn = field(fields.sub_min, first + s);
    const unsigned sc4 = field(fields.sub_scale, first + s + 4);
    const unsigned mn4 = field(fields.sub_min, first + s + 4);
    scales[s] = byte_of(sc | (sc4 >> 4) << 6);
    scales[s + 4] = byte_of(mn | (mn4 >> 4) << 6);
    scales[s + 8] = byte_of((sc4 & 15U) | (mn4 & 15U) << 4);
  }
}

void pack_nibbles(const AffineCodes& codes, int first, std::uint8_t (&qs)[128]) {
  for (int i = 0; i < 32; ++i) {
    const std::uint64_t v = eight_codes(codes, i, first) & 0x0F0F0F0F0F0F0F0FU;
    const std::uint64_t pairs = v | v >> 4;  // byte 2k: sub-block 2k low, 2k + 1 high
    for (int k = 0; k < 4; ++k) qs[32 * k + i] = static_cast<std::uint8_t>(pairs >> (16 * k));
  }
}

void pack_q4_k_block(const AffineFields& fields, const AffineCodes& codes, int first,
                     BlockQ4K& block) {
  block.d = store_half(fields.d.v[first]);
  block.dmin = store_half(fields.dmin.v[first]);
  pack_six_bit(fields, first, block.scales);
  pack_nibbles(codes, first, block.qs);
}

void pack_q5_k_block(const AffineFields& fields, const AffineCodes& codes, int first,
                     BlockQ5K& block) {
  block.d = store_half(fields.d.v[first]);
  block.dmin = store_half(fields.dmin.v[first]);
  pack_six_bit(fields, first, block.scales);
  pack_nibbles(codes, first, block.qs);
  for (int i = 0; i < 32; ++i) {
    block.qh[i] = gather_bits(eight_codes(codes, i, first) >> 4);
  }
}

void pack_q2_k_block(const AffineFields& fields, const AffineCodes& codes, int first,
                     BlockQ2K& block) {
  block.d = store_half(fields.d.v[first]);
  block.dmin = store_half(fields.dmin.v[first]);
  for (int s = 0; s < 16; ++s) {
    block.scales[s] = byte_of(field(fields.sub_scale, s) | field(fields.sub_min, s) << 4);
  }
  for (int half = 0; half < 2; ++half) {
    for (int i = 0; i < 16; ++i) {
      const std::uint64_t v = eight_codes(codes, i, 8 * half);
      const std::uint64_t planes = v | v >> 14 | v >> 28 | v >> 42;
      block.qs[32 * half + i] = static_cast<std::uint8_t>(planes);
      block.qs[32 * half + 16 + i] = static_cast<std::uint8_t>(planes >> 8);
    }
  }
}

// Bytes of the nibble area: element j low, element j + 16 high.
void pack_halves(const std::uint8_t* q, std::uint8_t (&qs)[16]) {
  for (int j = 0; j < 16; ++j) qs[j] = byte_of((q[j] & 15U) | (q[j + 16] & 15U) << 4);
}

void pack_q4_1_block(float d, float m, const std::uint8_t* q, BlockQ4_1& block) {
  block.d = store_half(d);
  block.m = store_half(m);
  pack_halves(q, block.qs);
}

void pack_q5_1_block(float d, float m, const std::uint8_t* q, BlockQ5_1& block) {
  block.d = store_half(d);
  block.m = store_half(m);
  pack_halves(q, block.qs);
  for (int k = 0; k < 4; ++k) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, q + 8 * k, sizeof eight);
    block.qh[k] = gather_bits(eight >> 4);
  }
}

// x = d * q + m: the grid between the extremes without importance, the search with it.
template <class Block, void (*kPack)(float d, float m, const std::uint8_t* q, Block&)>
void encode_single_blocks(const SingleFormat& format, const Rows& rows, std::byte* out) {
  const auto& kernels = kernels::affine_kernels();
  kernels::AffineMinMax blocks;
  AffineTile tile;
  AffineCodes codes;
  kernels::AffineFit fit;
  kernels::AffineLanes minimum;
  for (TileWalk walk(rows, format.shape.sub_elems, format.share_of_median); !walk.done();
       walk.next()) {
    const float* const x = walk.elements();
    kernels.min_max(x, format.shape.max_code, blocks);
    for (int s = 0; s < kAffineLanes; ++s) {
      if (!fits_half(blocks.minimum[s])) walk.throw_beyond(format.name, s, blocks.minimum[s]);
      if (!fits_half(blocks.scale[s])) {
        walk.throw_beyond(format.name, s,
                          blocks.minimum[s] + format.shape.max_code * blocks.scale[s]);
      }
    }
    if (const float* const* weights = walk.weights()) {
      kernels.load(format.shape, x, weights, tile);
      kernels::fit_single_blocks(kernels, format.shape, format.weighted, tile, fit, minimum);
      kernels.codes(format.shape, tile, fit, codes);
      for (int s = 0; s < kAffineLanes; ++s) {
        blocks.scale[s] = fit.scale.v[s];
        blocks.minimum[s] = minimum.v[s];
        for (int i = 0; i < format.shape.sub_elems; ++i) blocks.q[s][i] = codes.q[i][s];
      }
    }
    for (int s = 0; s < walk.held_subs(); ++s, out += sizeof(Block)) {
      Block block;
      kPack(blocks.scale[s], blocks.minimum[s], blocks.q[s], block);
      store_block(block, out);
    }
  }
}

constexpr SingleFormat kQ4_1 = {.name = "Q4_1",
                                .shape = {32, 15, true},
                                .share_of_median = 0.1,
                                .weighted = {{-1.0F, 0.1F, 20}, 2, 0}};

constexpr SingleFormat kQ5_1 = {.name = "Q5_1",
                                .shape = {32, 31, true},
                                .share_of_median = 0.1,
                                .weighted = {{-1.0F, 0.1F, 20}, 2, 0}};

constexpr SuperFormat kQ2K = {.name = "Q2_K",
                              .shape = {16, 3, false},
                              .subs = 16,
                              .max_field = 15,
                              .share_of_median = 0.2,
                              .plain = {{-0.4F, 0.25F, 8}, 2, 2},
                              .weighted = {{-0.6F, 0.2F, 12}, 3, 4}};

constexpr SuperFormat kQ4K = {.name = "Q4_K",
                              .shape = {32, 15, false},
                              .subs = 8,
                              .max_field = 63,
                              .share_of_median = 0.3,
                              .plain = {{-1.0F, 0.2F, 10}, 2, 2},
                              .weighted = {{-1.3F, 0.2F, 18}, 3, 4}};

constexpr SuperFormat kQ5K = {.name = "Q5_K",
                              .shape = {32, 31, false},
                              .subs = 8,
                              .max_field = 63,
                              .share_of_median = 0.3,
                              .plain = {{-1.0F, 0.2F, 9}, 2, 2},
                              .weighted = {{-1.4F, 0.2F, 18}, 3, 4}};

}  // namespace

void encode_q2_k(const Rows& rows, std::byte* out) {
  encode_super_blocks<BlockQ2K, pack_q2_k_block>(kQ2K, rows, out);
}

void encode_q4_k(const Rows& rows, std::byte* out) {
  encode_super_blocks<BlockQ4K, pack_q4_k_block>(kQ4K, rows, out);
}

void encode_q5_k(const Rows& rows, std::byte* out) {
  encode_super_blocks<BlockQ5K, pack_q5_k_block>(kQ5K, rows, out);
}

void encode_q4_1(const Rows& rows, std::byte* out) {
  encode_single_blocks<BlockQ4_1, pack_q4_1_block>(kQ4_1, rows, out);
}

void encode_q5_1(const Rows& rows, std::byte* out) {
  encode_single_blocks<BlockQ5_1, pack_q5_1_block>(kQ5_1, rows, out);
}

}  // namespace lq::codec
