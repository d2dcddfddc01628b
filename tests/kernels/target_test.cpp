#include "common/kernels/target.h"

#include <gtest/gtest.h>
#include <string>

#include "common/base/errors.h"
#include "common/kernels/convert_detail.h"

namespace lq::kernels {
namespace {

class Target : public ::testing::Test {
 protected:
  void TearDown() override { choose_target(""); }
};

TEST_F(Target, ScalarMeansTheReference) {
  choose_target("scalar");
  EXPECT_TRUE(use_reference());
  EXPECT_EQ(active_target(), "scalar");
}

TEST_F(Target, EachNamedTargetBecomesTheActiveOne) {
  for (const auto& [choice, name] :
       {std::pair{"sse4", "SSE4"}, std::pair{"avx2", "AVX2"}, std::pair{"avx3", "AVX3"}}) {
    try {
      choose_target(choice);
    } catch (const base::UsageError& error) {
      EXPECT_NE(error.why().find("does not have"), std::string::npos);
      continue;
    }
    EXPECT_FALSE(use_reference());
    EXPECT_EQ(active_target(), name);
  }
}

// What runs, asked of a dispatched kernel: asking for names must not undo the choice.
TEST_F(Target, TheChosenTargetStillRunsAfterItsNameWasAsked) {
  for (const auto& [choice, elems] :
       {std::pair{"sse4", 4U}, std::pair{"avx2", 8U}, std::pair{"avx3", 16U}}) {
    try {
      choose_target(choice);
    } catch (const base::UsageError&) {
      continue;
    }
    EXPECT_EQ(detail::vector_elems(), elems) << choice;
    EXPECT_NE(active_target(), "scalar");
    EXPECT_EQ(detail::vector_elems(), elems) << choice << " after active_target()";
  }
}

TEST_F(Target, AnUnknownValueIsAUsageErrorThatListsTheChoices) {
  try {
    choose_target("mmx\n");
    FAIL() << "accepted";
  } catch (const base::UsageError& error) {
    EXPECT_EQ(error.exit_code(), base::ExitCode::kUsage);
    EXPECT_EQ(std::string(error.what()), "unknown value of LQ_SIMD: mmx\\x0A");
    EXPECT_EQ(error.why(), "the choices are scalar, sse4, avx2 and avx3");
    EXPECT_NE(error.fix().find("unset LQ_SIMD"), std::string::npos);
  }
}

}  // namespace
}  // namespace lq::kernels
