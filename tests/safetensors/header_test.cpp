#include "common/safetensors/header.h"

#include <gtest/gtest.h>
#include <random>
#include <string>

#include "tests/safetensors/raw_file.h"
#include "tests/support/scratch.h"

namespace lq::safetensors {
namespace {

using testing::error_of;
using testing::raw_file;

class HeaderTest : public ::testing::Test {
 protected:
  Header read(const std::string& bytes, Data data = Data::kComplete) {
    return read_header(io::InputFile(scratch_.write("m.safetensors", bytes)), data);
  }
  // The `why` of the ValidationError that these bytes give.
  std::string why(const std::string& bytes) {
    const auto error = error_of<base::ValidationError>([&] { read(bytes); });
    EXPECT_NE(std::string(error.what()).find("m.safetensors"), std::string::npos);
    EXPECT_FALSE(error.fix().empty());
    return error.why();
  }

  testing::ScratchDirectory scratch_;
};

// An entry of one tensor.
std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{" + entry("a", dtype, shape, offsets) + "}";
}

TEST_F(HeaderTest, TensorsComeByOffsetWithTheirPlaceInTheFile) {
  const std::string json = "{" + entry("b", "F32", "[2]", "[4,12]") +
                           ",\"__metadata__\":{\"format\":\"pt\"}," +
                           entry("a", "BF16", "[2,1]", "[0,4]") + "}";
  const Header header = read(raw_file(json, std::string(12, 'x')));
  ASSERT_EQ(header.tensors.size(), 2U);
  EXPECT_EQ(header.tensors[0].name, "a");
  EXPECT_EQ(header.tensors[0].dtype, tensor::DType::kBF16);
  EXPECT_EQ(header.tensors[0].shape, (tensor::Shape{2, 1}));
  EXPECT_EQ(header.tensors[0].n_elems, 2U);
  EXPECT_EQ(header.tensors[0].n_bytes, 4U);
  EXPECT_EQ(header.tensors[0].offset, 8 + json.size());
  EXPECT_EQ(header.tensors[1].offset, 8 + json.size() + 4);
  EXPECT_EQ(header.metadata.at("format"), "pt");
  EXPECT_TRUE(header.warnings.empty());
}

TEST_F(HeaderTest, ScalarsAndEmptyTensorsAreTensors) {
  const std::string json = "{" + entry("scalar", "F32", "[]", "[0,4]") + "," +
                           entry("empty", "F32", "[3,0]", "[4,4]") + "," +
                           entry("none", "I64", "[0]", "[0,0]") + "}";
  const Header header = read(raw_file(json, "1234"));
  ASSERT_EQ(header.tensors.size(), 3U);
  EXPECT_EQ(header.tensors[0].name, "none");
  EXPECT_EQ(header.tensors[1].name, "scalar");
  EXPECT_EQ(header.tensors[1].n_elems, 1U);
  EXPECT_EQ(header.tensors[2].n_elems, 0U);
}

TEST_F(HeaderTest, PackedTypesCountBits) {
  const Header header = read(raw_file(one("F4", "[3,2]", "[0,3]"), "123"));
  EXPECT_EQ(header.tensors[0].n_elems, 6U);
  EXPECT_EQ(why(raw_file(one("F4", "[3]", "[0,1]"), "1")),
            "tensor `a` has 3 elements of 4 bits, not a whole number of bytes");
  EXPECT_EQ(read(raw_file(one("F6_E2M3", "[4]", "[0,3]"), "123")).tensors[0].n_bytes, 3U);
}

TEST_F(HeaderTest, WhiteSpaceAroundTheObjectIsPadding) {
  const std::string json = " \t\r\n" + one("U8", "[1]", "[0,1]") + "  \n ";
  EXPECT_EQ(read(raw_file(json, "x")).tensors.size(), 1U);
}

TEST_F(HeaderTest, AnEmptyObjectIsAFileWithoutTensors) {
  const Header header = read(raw_file("{}"));
  EXPECT_TRUE(header.tensors.empty());
  ASSERT_EQ(header.warnings.size(), 1U);
  EXPECT_NE(header.warnings[0].find("has no tensors"), std::string::npos);
}

TEST_F(HeaderTest, RejectsAFileShorterThanTheLengthField) {
  EXPECT_EQ(why("1234567"), "it has 7 bytes, too few for a safetensors file");
  EXPECT_EQ(why(""), "it has 0 bytes, too few for a safetensors file");
}

TEST_F(HeaderTest, RejectsAHeaderAboveTheLimitOfTheFormat) {
  EXPECT_EQ(why(testing::little_endian(100'000'001) + "{}"),
            "its header claims 100000001 bytes, more than the 100000000 of the format");
  EXPECT_NE(why(std::string(8, '\xFF') + "{}").find("18446744073709551615"), std::string::npos);
}

TEST_F(HeaderTest, RejectsAHeaderLongerThanTheFile) {
  EXPECT_EQ(why(testing::little_endian(3) + "{}"),
            "its header claims 3 bytes, but the file has 10");
}

TEST_F(HeaderTest, WarnsOfAHeaderThatTheHubRefuses) {
  std::string json = "{}";
  json.resize(kHubHeaderBytes + 1, ' ');
  const Header header = read(raw_file(json));
  ASSERT_EQ(header.warnings.size(), 2U);
  EXPECT_NE(header.warnings[0].find("the Hub's own client refuses"), std::string::npos);
}

TEST_F(HeaderTest, RejectsTextThatIsNotUtf8) {
  EXPECT_EQ(why(raw_file("{\"\xC3\x28\":1}")), "it is not valid UTF-8 at byte 4");
}

TEST_F(HeaderTest, RejectsWhatDoesNotStartWithABrace) {
  EXPECT_EQ(why(raw_file("[]")), "it does not start with `{`");
  EXPECT_EQ(why(raw_file("")), "it does not start with `{`");
  EXPECT_EQ(why(raw_file("  ")), "it does not start with `{`");
  EXPECT_EQ(why(raw_file("\xEF\xBB\xBF{}")), "it does not start with `{`");
}

TEST_F(HeaderTest, RejectsBrokenJsonWithTheByte) {
  EXPECT_EQ(why(raw_file("{\"a\":")), "it is not valid JSON at byte 6");
  EXPECT_EQ(why(raw_file("{} x")), "it is not valid JSON at byte 4");
  EXPECT_EQ(why(raw_file(std::string("{}\0{}", 5))), "it is not valid JSON at byte 3");
  EXPECT_NE(why(raw_file("{\"a\":NaN}")).find("not valid JSON"), std::string::npos);
  EXPECT_NE(why(raw_file("{/**/}")).find("not valid JSON"), std::string::npos);
}

TEST_F(HeaderTest, RejectsDeepNesting) {
  const std::string deep = "{\"a\":{\"x\":" + std::string(30, '[') + std::string(30, ']') + "}}";
  EXPECT_EQ(why(raw_file(deep)), "tensor `a` has no dtype");
  const std::string deeper = "{\"a\":{\"x\":" + std::string(31, '[') + std::string(31, ']') + "}}";
  EXPECT_EQ(why(raw_file(deeper)), "objects and arrays stand more than 32 deep in each other");
  EXPECT_EQ(why(raw_file("{\"a\":{\"x\":" + std::string(1'000'000, '['))),
            "objects and arrays stand more than 32 deep in each other");
}

TEST_F(HeaderTest, RejectsDoubledKeys) {
  const std::string a = entry("a", "U8", "[1]", "[0,1]");
  EXPECT_EQ(why(raw_file("{" + a + "," + a + "}", "x")), "the key `a` appears twice");
  EXPECT_EQ(why(raw_file("{\"__metadata__\":{},\"__metadata__\":{}}")),
            "the key `__metadata__` appears twice");
  EXPECT_EQ(why(raw_file("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}")),
            "the key `dtype` appears twice");
  // Written in two ways, but the same name.
  EXPECT_EQ(why(raw_file("{" + a + "," + entry("\\u0061", "U8", "[1]", "[1,2]") + "}", "xy")),
            "the key `a` appears twice");
}

TEST_F(HeaderTest, MetadataIsNullOrTexts) {
  EXPECT_TRUE(read(raw_file("{\"__metadata__\":null}")).metadata.empty());
  EXPECT_EQ(why(raw_file("{\"__metadata__\":1}")), "`__metadata__` is not an object of texts");
  EXPECT_EQ(why(raw_file("{\"__metadata__\":[]}")), "`__metadata__` is not an object of texts");
  EXPECT_EQ(why(raw_file("{\"__metadata__\":{\"k\":1}}")),
            "`__metadata__` has a value that is not a text, `k`");
  EXPECT_EQ(why(raw_file("{\"__metadata__\":{\"k\":{}}}")),
            "`__metadata__` has a value that is not a text, `k`");
}

TEST_F(HeaderTest, RejectsEntriesThatAreIncomplete) {
  EXPECT_EQ(why(raw_file("{\"a\":3}")), "tensor `a` is not described by an object");
  EXPECT_EQ(why(raw_file("{\"a\":{}}")), "tensor `a` has no dtype");
  EXPECT_EQ(why(raw_file("{\"a\":{\"dtype\":\"U8\"}}")), "tensor `a` has no shape");
  EXPECT_EQ(why(raw_file("{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}")),
            "tensor `a` has no data_offsets");
  EXPECT_EQ(why(raw_file(one("U8", "[1]", "[0]"))), "tensor `a` has 1 data_offsets instead of 2");
  EXPECT_EQ(why(raw_file(one("U8", "[1]", "[0,1,1]"))),
            "tensor `a` has 3 data_offsets instead of 2");
}

TEST_F(HeaderTest, UnknownKeysOfAnEntryAreNotedOnce) {
  const Header header =
      read(raw_file("{\"a\":{\"x\":[{\"shape\":[7]}],\"y\":1,\"dtype\":\"U8\","
                    "\"shape\":[1],\"data_offsets\":[0,1]}}",
                    "x"));
  ASSERT_EQ(header.warnings.size(), 1U);
  EXPECT_EQ(header.warnings[0], "tensor `a` has the unknown key `x`, which is not used");
  EXPECT_EQ(header.tensors[0].shape, tensor::Shape{1});
}

TEST_F(HeaderTest, RejectsUnknownTypesNamingTheTensor) {
  EXPECT_EQ(why(raw_file(one("F8", "[1]", "[0,1]"))), "tensor `a` has the unknown dtype `F8`");
  EXPECT_EQ(why(raw_file("{\"a\":{\"dtype\":1}}")), "tensor `a` has a dtype that is no text");
}

TEST_F(HeaderTest, RejectsNumbersThatAreNotWhole) {
  const std::string tail = " something else than a whole number from 0 to 2^63 - 1";
  for (const std::string bad : {"1.0", "1e3", "-0", "-1", "9223372036854775808",
                                "18446744073709551616", "\"1\"", "null", "[1]"}) {
    EXPECT_EQ(why(raw_file(one("U8", "[" + bad + "]", "[0,1]"))),
              "tensor `a` has in its shape" + tail)
        << bad;
    EXPECT_EQ(why(raw_file(one("U8", "[1]", "[" + bad + ",1]"))),
              "tensor `a` has in its data_offsets" + tail)
        << bad;
  }
  EXPECT_EQ(why(raw_file(one("U8", "1", "[0,1]"))), "tensor `a` has a shape that is no array");
  EXPECT_EQ(why(raw_file(one("U8", "[1]", "{}"))), "tensor `a` has data_offsets that are no array");
}

TEST_F(HeaderTest, RejectsShapesThatOverflow) {
  const std::string why_overflow = "tensor `a` has a shape with too many elements";
  EXPECT_EQ(why(raw_file(one("U8", "[4294967296,4294967296]", "[0,0]"))), why_overflow);
  EXPECT_EQ(why(raw_file(one("F64", "[9223372036854775807]", "[0,0]"))), why_overflow);
  EXPECT_EQ(why(raw_file(one("U8", "[9223372036854775807,9,0]", "[0,0]"))), why_overflow);
}

TEST_F(HeaderTest, WarnsOfManyDimensions) {
  std::string shape = "[1";
  for (int i = 1; i < 65; ++i) shape += ",1";
  const Header header = read(raw_file(one("U8", shape + "]", "[0,1]"), "x"));
  ASSERT_EQ(header.warnings.size(), 1U);
  EXPECT_EQ(header.warnings[0], "tensor `a` has 65 dimensions");
}

TEST_F(HeaderTest, RejectsGapsAndOverlapsNamingBothTensors) {
  const auto two = [](const std::string& second) {
    return "{" + entry("a", "U8", "[4]", "[0,4]") + "," + entry("b", "U8", "[4]", second) + "}";
  };
  EXPECT_EQ(why(raw_file(two("[6,10]"), std::string(10, 'x'))),
            "tensors `a` and `b` leave a gap of 2 bytes");
  EXPECT_EQ(why(raw_file(two("[3,7]"), std::string(7, 'x'))),
            "tensors `a` and `b` overlap by 1 bytes");
  EXPECT_EQ(why(raw_file(two("[0,4]"), std::string(4, 'x'))),
            "tensors `a` and `b` overlap by 4 bytes");
}

TEST_F(HeaderTest, RejectsAFirstTensorThatDoesNotBeginTheData) {
  EXPECT_EQ(why(raw_file(one("U8", "[1]", "[1,2]"), "xy")),
            "the first tensor, `a`, begins at 1 instead of 0");
}

TEST_F(HeaderTest, RejectsAnEndBeforeTheBegin) {
  EXPECT_EQ(why(raw_file(one("U8", "[1]", "[1,0]"), "x")),
            "tensor `a` ends at 0, before its begin at 1");
}

TEST_F(HeaderTest, RejectsASizeThatDoesNotFitTheShape) {
  EXPECT_EQ(why(raw_file(one("F16", "[3]", "[0,5]"), "12345")),
            "tensor `a` needs 6 bytes for its shape and type, but has 5");
}

TEST_F(HeaderTest, RejectsTruncatedAndTrailingData) {
  const std::string json = one("U8", "[4]", "[0,4]");
  EXPECT_EQ(why(raw_file(json, "123")), "it is truncated: 1 of its 4 bytes of data are missing");
  EXPECT_EQ(why(raw_file(json)), "it is truncated: 4 of its 4 bytes of data are missing");
  EXPECT_EQ(why(raw_file(json, "12345")), "1 bytes trail after the last tensor");
  EXPECT_EQ(why(raw_file(one("U8", "[1152921504606846976]", "[0,1152921504606846976]"), "x")),
            "it is truncated: 1152921504606846975 of its 1152921504606846976 bytes of data are "
            "missing");
}

TEST_F(HeaderTest, AHeaderAloneCanBeLookedAt) {
  const Header header = read(raw_file(one("U8", "[4]", "[0,4]")), Data::kMayBeMissing);
  EXPECT_EQ(header.tensors[0].n_bytes, 4U);
  ASSERT_EQ(header.warnings.size(), 1U);
  EXPECT_NE(header.warnings[0].find("truncated"), std::string::npos);
}

TEST_F(HeaderTest, NamesInMessagesCannotDriveATerminal) {
  const std::string json = "{" + entry("a\\u001b[2J", "U8", "[2]", "[0,1]") + "}";
  EXPECT_EQ(why(raw_file(json, "x")),
            "tensor `a\\x1B[2J` needs 2 bytes for its shape and type, but has 1");
}

TEST_F(HeaderTest, DamagedHeadersGiveValidationErrorsAndNothingElse) {
  std::mt19937 random(20);
  const std::string json = "{\"__metadata__\":{\"format\":\"pt\"}," +
                           entry("a", "F32", "[2,3]", "[0,24]") + "," +
                           entry("b", "BF16", "[4]", "[24,32]") + "}";
  const std::string alphabet = "{}[]\",:0123456789-.eE\\ \n\x00\xFF" + std::string("aF");
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = json;
    const int n_changes = 1 + static_cast<int>(random() % 4);
    for (int c = 0; c < n_changes; ++c) {
      text[random() % text.size()] =
          random() % 2 == 0 ? alphabet[random() % alphabet.size()] : static_cast<char>(random());
    }
    if (random() % 8 == 0) text.resize(random() % text.size());
    try {
      parse_header(text, 8 + json.size() + 32, "m.safetensors", Data::kComplete);
    } catch (const base::ValidationError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 15'000);
}

}  // namespace
}  // namespace lq::safetensors
