#include "common/codec/scale_fields.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace lq::codec {
namespace {

std::vector<float> decoded(const Codec& codec, const std::vector<std::byte>& block) {
  std::vector<float> values(codec.block_elems);
  codec.decode(block.data(), values.data(), values.size());
  return values;
}

TEST(ScaleFields, AreThereForEveryTypeOfBlocksInFiles) {
  for (const Codec& codec : codecs()) {
    EXPECT_EQ(scale_fields(codec.type).empty(), !codec.quantized || codec.decode == nullptr)
        << codec.name;
  }
}

/// Fields of half precision made NaN spoil the values of their block, as other bytes do not.
TEST(ScaleFields, AreWhereTheDecoderReadsThem) {
  for (const Codec& codec : codecs()) {
    for (const ScaleField& field : scale_fields(codec.type)) {
      SCOPED_TRACE(codec.name);
      std::vector<std::byte> block(codec.block_bytes, std::byte{0x11});
      EXPECT_TRUE(std::isfinite(scale_value(field, block.data())));
      EXPECT_TRUE(std::isfinite(decoded(codec, block).front()));
      if (field.kind == ScaleKind::kHalf) {
        block[field.offset + 1] = std::byte{0x7E};
      } else if (field.kind == ScaleKind::kScatteredHalf) {
        for (const std::size_t at : {5, 7}) block[field.offset + at] = std::byte{0xE1};
        block[field.offset + 7] = std::byte{0x71};
      } else {
        continue;
      }
      EXPECT_TRUE(std::isnan(scale_value(field, block.data())));
      EXPECT_TRUE(std::isnan(decoded(codec, block).front()));
    }
  }
}

TEST(ScaleFields, OfFourBitFloatsAreTheirOwnKind) {
  const ScaleField& power = scale_fields(QuantType::kMXFP4).front();
  std::byte code{128};
  EXPECT_EQ(scale_value({0, power.kind}, &code), 1.0F);
  code = std::byte{255};
  EXPECT_TRUE(std::isnan(scale_value({0, power.kind}, &code)));
  const auto small = scale_fields(QuantType::kNVFP4);
  ASSERT_EQ(small.size(), 4u);
  EXPECT_EQ(small[3].offset, 3u);
  code = std::byte{0x38};  // exponent 7: 1
  EXPECT_EQ(scale_value({0, small[0].kind}, &code), 1.0F);
  code = std::byte{127};
  EXPECT_TRUE(std::isnan(scale_value({0, small[0].kind}, &code)));
}

}  // namespace
}  // namespace lq::codec
