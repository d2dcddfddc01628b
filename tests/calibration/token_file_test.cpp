#include "common/calibration/token_file.h"

#include <gtest/gtest.h>

#include "common/safetensors/layout.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

using tensor::DType;
using testing::error_of;

constexpr std::size_t kVocab = 100;

class TokenFileTest : public ::testing::Test {
 protected:
  TokenWindows read(const std::string& bytes) {
    return read_tokens(scratch_.write("tokens", bytes), kVocab);
  }
  base::ValidationError error(const std::string& bytes) {
    const auto error = error_of<base::ValidationError>([&] { read(bytes); });
    EXPECT_EQ(error.what(), "cannot read token ids from " + (scratch_.path() / "tokens").string());
    return error;
  }
  std::string why(const std::string& bytes) { return error(bytes).why(); }
  std::string why_of(const TokenWindows& windows) { return why(serialize_tokens(windows)); }

  testing::ScratchDirectory scratch_;
};

TEST_F(TokenFileTest, IsReadAsItWasWritten) {
  const TokenWindows windows{{1, 99, 0, 7}, {0, 3, 4}};
  const TokenWindows again = read(serialize_tokens(windows));
  EXPECT_EQ(again.ids, windows.ids);
  EXPECT_EQ(again.offsets, windows.offsets);
}

TEST_F(TokenFileTest, HoldsTwoListsOfIntegers) {
  const std::string bytes = serialize_tokens({{1, 258, 3}, {0, 1, 3}});
  const std::string header = R"({"__metadata__":{"format":"pt"},)"
                             R"("offsets":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},)"
                             R"("ids":{"dtype":"I32","shape":[3],"data_offsets":[24,36]}})";
  EXPECT_EQ(bytes.substr(8, header.size()), header);
  ASSERT_GE(bytes.size(), 36U);
  EXPECT_EQ(bytes.substr(bytes.size() - 36, 17),
            std::string("\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\3", 17));
  EXPECT_EQ(bytes.substr(bytes.size() - 12), std::string("\1\0\0\0\2\1\0\0\3\0\0\0", 12));
}

TEST_F(TokenFileTest, JsonIsAListOfWindows) {
  const TokenWindows windows = read("\n[[1, 15, 7],\n [1]]\n");
  EXPECT_EQ(windows.ids, (std::vector<std::int32_t>{1, 15, 7, 1}));
  EXPECT_EQ(windows.offsets, (std::vector<std::int64_t>{0, 3, 4}));
}

TEST_F(TokenFileTest, IdsOutsideTheVocabularyAreRefused) {
  const auto beyond = error("[[1], [99, 100]]");
  EXPECT_EQ(beyond.why(), "window 2 has the id 100, but the model has tokens from 0 to 99");
  EXPECT_EQ(beyond.fix(), "make the windows with the tokenizer of this model");
  EXPECT_EQ(why_of({{1, -5}, {0, 2}}),
            "window 1 has the id -5, but the model has tokens from 0 to 99");
  for (const std::string id : {"-5", "2147483648", "1.5", "\"a\"", "[1]", "null"}) {
    EXPECT_EQ(why("[[1], [1, " + id + "]]"), "id 2 of window 2 is no integer from 0 to 2147483647");
  }
}

TEST_F(TokenFileTest, WindowsThatAreEmptyOrNotThereAreRefused) {
  EXPECT_EQ(why("[]"), "it has no windows");
  EXPECT_EQ(why("[[1], []]"), "window 2 is empty");
  EXPECT_EQ(why_of({{}, {0}}), "it has no windows");
  EXPECT_EQ(why_of({{1}, {0, 0, 1}}), "window 1 is empty");
}

TEST_F(TokenFileTest, OffsetsThatDoNotFitTheIdsAreRefused) {
  EXPECT_EQ(why_of({{1}, {}}), "its offsets do not begin with 0");
  EXPECT_EQ(why_of({{1}, {1, 2}}), "its offsets do not begin with 0");
  EXPECT_EQ(why_of({{1, 2}, {0, 2, 1, 2}}), "its offsets go back from 2 to 1");
  EXPECT_EQ(why_of({{1}, {0}}), "its offsets end with 0, but it has 1 ids");
  EXPECT_EQ(why_of({{1}, {0, INT64_MAX}}),
            "its offsets end with 9223372036854775807, but it has 1 ids");
}

TEST_F(TokenFileTest, OtherTensorsAreRefused) {
  const auto file = [](const char* name, DType dtype, const tensor::Shape& shape) {
    return safetensors::serialize({{"ids", DType::kI32, {1}}, {name, dtype, shape}},
                                  {std::string(4, '\0'), std::string(16, '\0')});
  };
  EXPECT_EQ(why(file("x", DType::kI64, {2})), "it has no tensor `offsets`");
  EXPECT_EQ(why(file("offsets", DType::kI32, {4})), "its tensor `offsets` is no list of type I64");
  EXPECT_EQ(why(file("offsets", DType::kI64, {1, 2})),
            "its tensor `offsets` is no list of type I64");
}

TEST_F(TokenFileTest, AFileOfAnotherKindIsRefused) {
  const auto other = error("one two three");
  EXPECT_EQ(other.why(), "it is neither a safetensors file nor a JSON list");
  EXPECT_EQ(other.fix(),
            "give the tokens.safetensors of a calibration, or a JSON list of lists of ids");
  EXPECT_EQ(why(R"({"ids": [1]})"), "it is neither a safetensors file nor a JSON list");
  EXPECT_EQ(why("[1, 2]"), "window 1 is no list of ids");
  EXPECT_EQ(why("[[1, 2]"), "it is not valid JSON at byte 8");
  EXPECT_EQ(why(""), "it is empty");
}

TEST_F(TokenFileTest, ATruncatedOrMissingFileIsRefused) {
  const std::string bytes = serialize_tokens({{1, 2}, {0, 2}});
  error_of<base::ValidationError>([&] { read(bytes.substr(0, bytes.size() - 1)); });
  error_of<base::ValidationError>([&] { read(bytes.substr(0, 20)); });
  error_of<base::ModelNotFoundError>([&] { read_tokens(scratch_.path() / "none", kVocab); });
}

}  // namespace
}  // namespace lq::calibration
