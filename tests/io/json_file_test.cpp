#include "common/io/json_file.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::io {
namespace {

using lq::testing::error_of;
using lq::testing::ScratchDirectory;

TEST(JsonFile, ReadsAFile) {
  const ScratchDirectory scratch;
  EXPECT_EQ(read_json_file(scratch.write("x.json", "{\"a\":[1]}"))["a"][0], 1);
}

TEST(JsonFile, BrokenJsonNamesTheSourceAndTheByte) {
  const auto error = error_of<base::ValidationError>([] { parse_json("{\"a\":", "x\n.json"); });
  EXPECT_STREQ(error.what(), "cannot read x\\x0A.json");
  EXPECT_EQ(error.why(), "it is not valid JSON at byte 6");
}

TEST(JsonFile, NumbersBeyondADoubleAreValidationErrors) {
  const auto error = error_of<base::ValidationError>([] { parse_json("[1e9999]", "x.json"); });
  EXPECT_EQ(error.why(), "a number in it is beyond what a double holds");
}

TEST(JsonFile, AMissingFileIsNotFound) {
  EXPECT_THROW(read_json_file("/no/such"), base::ModelNotFoundError);
}

}  // namespace
}  // namespace lq::io
