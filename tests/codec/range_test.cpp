#include <cmath>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "common/base/errors.h"
#include "common/codec/codec.h"

namespace lq::codec {
namespace {

void expect_refused(QuantType type, float value) {
  std::vector<float> x(512, 1.0F);
  x[256 + 17] = value;
  std::vector<std::byte> out(codec(type).bytes_for(512), std::byte{0x5A});
  try {
    codec(type).encode({x.data(), 2, 256, nullptr}, out.data());
    FAIL() << codec(type).name << " took " << value;
  } catch (const base::ConversionError& error) {
    EXPECT_EQ(std::string(error.what()),
              "cannot encode row 1, column 17 as " + std::string(codec(type).name));
    EXPECT_NE(error.why().find("the value "), std::string::npos);
    EXPECT_NE(error.fix().find("BF16 or F32"), std::string::npos);
  }
  EXPECT_EQ(out.front(), std::byte{0x5A}) << "written before the check";
}

TEST(Range, AValueThatRoundsBeyondFloat16IsAConversionErrorThatSaysWhere) {
  expect_refused(QuantType::kF16, 65520.0F);
  expect_refused(QuantType::kF16, -1e30F);
  expect_refused(QuantType::kQ8_0, 65520.0F * 127.0F);
  expect_refused(QuantType::kQ4_0, 65520.0F * 8.0F);
  expect_refused(QuantType::kQ5_0, -65520.0F * 16.0F);
  expect_refused(QuantType::kQ3K, 1e7F);
  expect_refused(QuantType::kQ6K, -3e8F);
  expect_refused(QuantType::kBF16, 0x1.FFp127F);
  expect_refused(QuantType::kBF16, -3.4028e38F);
}

TEST(Range, TheRowIsCountedFromTheFirstOfTheTensor) {
  std::vector<float> x(512, 1.0F);
  x[256 + 17] = -1e30F;
  std::vector<std::byte> out(codec(QuantType::kQ6K).bytes_for(512));
  try {
    codec(QuantType::kQ6K).encode({x.data(), 2, 256, nullptr, 4000}, out.data());
    FAIL();
  } catch (const base::ConversionError& error) {
    EXPECT_EQ(std::string(error.what()), "cannot encode row 4001, column 17 as Q6_K");
  }
}

TEST(Range, TheLargestValueThatRoundsDownIsTaken) {
  const float x = 65519.0F;
  std::uint16_t bits = 0;
  codec(QuantType::kF16).encode({&x, 1, 1, nullptr}, reinterpret_cast<std::byte*>(&bits));
  EXPECT_EQ(bits, 0x7BFF);
  const float large = std::nextafter(0x1.FFp127F, 0.0F);
  codec(QuantType::kBF16).encode({&large, 1, 1, nullptr}, reinterpret_cast<std::byte*>(&bits));
  EXPECT_EQ(bits, 0x7F7F);
}

}  // namespace
}  // namespace lq::codec
