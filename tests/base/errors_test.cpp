#include "common/base/errors.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <type_traits>

namespace lq::base {
namespace {

TEST(Errors, CarryTheirThreePartsAndTheirCode) {
  const ValidationError error("cannot read model.safetensors", "the header ends at byte 7",
                              "download it again");
  EXPECT_STREQ(error.what(), "cannot read model.safetensors");
  EXPECT_EQ(error.why(), "the header ends at byte 7");
  EXPECT_EQ(error.fix(), "download it again");
  EXPECT_EQ(error.exit_code(), ExitCode::kValidation);
}

TEST(Errors, OfEveryTypeHaveTheDocumentedCode) {
  const auto code_of = []<class E>(std::type_identity<E>) {
    return static_cast<int>(E("what", "why", "fix").exit_code());
  };
  EXPECT_EQ(code_of(std::type_identity<QuantizationError>()), 1);
  EXPECT_EQ(code_of(std::type_identity<ConversionError>()), 1);
  EXPECT_EQ(code_of(std::type_identity<UsageError>()), 2);
  EXPECT_EQ(code_of(std::type_identity<ModelNotFoundError>()), 3);
  EXPECT_EQ(code_of(std::type_identity<AuthenticationError>()), 4);
  EXPECT_EQ(code_of(std::type_identity<OutOfMemoryError>()), 5);
  EXPECT_EQ(code_of(std::type_identity<ValidationError>()), 6);
  EXPECT_EQ(code_of(std::type_identity<CheckpointError>()), 7);
  EXPECT_EQ(code_of(std::type_identity<OutputError>()), 8);
  EXPECT_EQ(code_of(std::type_identity<NetworkError>()), 9);
  EXPECT_EQ(code_of(std::type_identity<BusyError>()), 10);
  EXPECT_EQ(code_of(std::type_identity<UnsupportedError>()), 11);
}

TEST(Errors, CannotBeMadeWithLessThanThreeParts) {
  EXPECT_FALSE((std::is_constructible_v<UsageError, const char*, const char*>));
  EXPECT_FALSE((std::is_constructible_v<UsageError, const char*>));
  EXPECT_FALSE((std::is_default_constructible_v<UsageError>));
}

TEST(ExitCodes, AreAscendingAndExplained) {
  EXPECT_TRUE(std::ranges::is_sorted(exit_codes(), {}, &ExitCodeRow::code));
  for (const ExitCodeRow& row : exit_codes()) {
    EXPECT_FALSE(row.meaning.empty()) << static_cast<int>(row.code);
    EXPECT_EQ(exit_code_row(row.code).meaning, row.meaning);
  }
}

TEST(ExitCodes, LeaveOutWhatShellsAndXargsUse) {
  for (const ExitCodeRow& row : exit_codes()) {
    for (const int taken : {126, 127, 255}) EXPECT_NE(static_cast<int>(row.code), taken);
  }
}

}  // namespace
}  // namespace lq::base
