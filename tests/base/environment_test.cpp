#include "common/base/environment.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace lq::base {
namespace {

TEST(Environment, HoldsTheVariablesOfTheProcess) {
  ::setenv("LQ_TEST_VARIABLE", "a=b", 1);
  EXPECT_EQ(Environment::of_process().get("LQ_TEST_VARIABLE"), "a=b");
}

TEST(Environment, TreatsUnsetAndEmptyAlike) {
  const Environment environment({{"EMPTY", ""}});
  EXPECT_EQ(environment.get("EMPTY"), "");
  EXPECT_EQ(environment.get("UNSET"), "");
}

}  // namespace
}  // namespace lq::base
