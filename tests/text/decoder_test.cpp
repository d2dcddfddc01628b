#include "common/text/decoder.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

using Pieces = std::vector<std::string>;

Pieces decoded(const std::string& decoder, Pieces pieces) {
  text::make_decoder(PartOf(decoder, "decoder").part)(pieces);
  return pieces;
}

template <class E>
std::string why(const std::string& decoder) {
  return error_of<E>([&] { decoded(decoder, {}); }).why();
}

const std::string kByteLevel = R"({"type": "ByteLevel"})";
const std::string kByteFallback = R"({"type": "ByteFallback"})";
const std::string kFuse = R"({"type": "Fuse"})";
const std::string kReplace =
    R"({"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "})";

std::string strip(int start, int stop) {
  return R"({"type": "Strip", "content": "\u00e9", "start": )" + std::to_string(start) +
         R"(, "stop": )" + std::to_string(stop) + "}";
}

TEST(Decoder, OfNoKindPutsSpacesBetween) {
  EXPECT_EQ(decoded("null", {"a", "", "b"}), (Pieces{"a  b"}));
  EXPECT_EQ(decoded("null", {}), (Pieces{""}));
}

TEST(Decoder, OfByteLevelReadsTheBytesOfAllPiecesTogether) {
  EXPECT_EQ(decoded(kByteLevel, {"\u0120a", "\u00C3", "\u00A9\u010A"}), (Pieces{" a\u00E9\n"}));
  EXPECT_EQ(decoded(kByteLevel, {"\u00E2\u0124", "b"}), (Pieces{"\uFFFDb"}));
}

TEST(Decoder, OfByteLevelTakesAPieceThatIsNotOfBytesAsItIs) {
  EXPECT_EQ(decoded(kByteLevel, {"\u0120a", "\u0120 b", "\u0120\u4E00"}),
            (Pieces{" a\u0120 b\u0120\u4E00"}));
}

TEST(Decoder, OfByteFallbackMakesOnePieceOfARun) {
  EXPECT_EQ(decoded(kByteFallback, {"a", "<0xE5>", "<0x8f>", "<0xAB>", "b", "<0x0A>"}),
            (Pieces{"a", "\u53EB", "b", "\n"}));
  EXPECT_EQ(decoded(kByteFallback, {"<0x0G>", "<0x0A", "<0x0A> ", "<0x>"}),
            (Pieces{"<0x0G>", "<0x0A", "<0x0A> ", "<0x>"}));
}

TEST(Decoder, OfByteFallbackMarksEachByteOfARunThatIsNoText) {
  EXPECT_EQ(decoded(kByteFallback, {"<0x61>", "<0xE5>", "<0x8F>", "b", "<0xFF>"}),
            (Pieces{"\uFFFD", "\uFFFD", "\uFFFD", "b", "\uFFFD"}));
}

TEST(Decoder, OfFuseMakesOnePiece) {
  EXPECT_EQ(decoded(kFuse, {"a", " ", "b"}), (Pieces{"a b"}));
  EXPECT_EQ(decoded(kFuse, {}), (Pieces{""}));
}

TEST(Decoder, OfReplaceReplacesInEachPiece) {
  EXPECT_EQ(decoded(kReplace, {"\u2581a\u2581\u2581", "b"}), (Pieces{" a  ", "b"}));
  EXPECT_EQ(decoded(R"({"type": "Replace", "pattern": {"Regex": "a+"}, "content": "$0"})", {"baa"}),
            (Pieces{"b$0"}));
}

TEST(Decoder, OfStripTakesNoMoreThanItIsTold) {
  EXPECT_EQ(decoded(strip(1, 0), {"\u00E9\u00E9a\u00E9", "a"}), (Pieces{"\u00E9a\u00E9", "a"}));
  EXPECT_EQ(decoded(strip(3, 1), {"\u00E9\u00E9a\u00E9\u00E9", ""}), (Pieces{"a\u00E9", ""}));
  EXPECT_EQ(decoded(strip(1, 1), {"\u00E9", "\u00E9\u00E9\u00E9"}), (Pieces{"", "\u00E9"}));
}

TEST(Decoder, OfMetaspaceMakesSpacesBehindTheFirstPiece) {
  const Pieces pieces = {"\u2581a\u2581\u2581", "\u2581b"};
  EXPECT_EQ(decoded(R"({"type": "Metaspace"})", pieces), (Pieces{"a", " b"}));
  EXPECT_EQ(decoded(R"({"type": "Metaspace", "prepend_scheme": "first"})", pieces),
            (Pieces{"a", " b"}));
  for (const char* none : {R"("prepend_scheme": "never")", R"("add_prefix_space": false)"}) {
    EXPECT_EQ(decoded(std::string(R"({"type": "Metaspace", )") + none + "}", pieces),
              (Pieces{" a  ", " b"}));
  }
  EXPECT_EQ(decoded(R"({"type": "Metaspace", "replacement": "_"})", {"_", "a_b_"}),
            (Pieces{"", "a b "}));
}

TEST(Decoder, OfASequenceAppliesOneBehindTheOther) {
  const std::string llama = R"({"type": "Sequence", "decoders": [)" + kReplace + "," +
                            kByteFallback + "," + kFuse +
                            R"(, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})";
  EXPECT_EQ(decoded(llama, {"\u2581\u2581a", "<0xE2>", "<0x96>", "<0x81>", "\u2581b"}),
            (Pieces{" a\u2581 b"}));
  EXPECT_EQ(decoded(R"({"type": "Sequence", "decoders": []})", {"a", "b"}), (Pieces{"a", "b"}));
}

TEST(Decoder, SaysWhatIsWrong) {
  EXPECT_EQ(why<base::UnsupportedError>(R"({"type": "CTC"})"),
            "its decoder is of the unknown kind 'CTC'");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "Sequence", "decoders": [null]})"),
            "its decoder has no type");
  EXPECT_EQ(
      why<base::ValidationError>(R"({"type": "Strip", "content": "ab", "start": 0, "stop": 0})"),
      "`content` of its decoder is not one character");
  EXPECT_EQ(why<base::ValidationError>(strip(-1, 0)),
            "`start` of its decoder is not a number from 0");
  EXPECT_EQ(
      why<base::ValidationError>(R"({"type": "Strip", "content": "a", "start": 0, "stop": "1"})"),
      "`stop` of its decoder is not a number from 0");
}

}  // namespace
}  // namespace lq::testing
