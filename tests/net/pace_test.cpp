#include "common/net/pace.h"

#include <gtest/gtest.h>

namespace lq::net {
namespace {

TEST(BytePace, WithoutALimitNothingWaits) {
  BytePace pace(0);
  pace.take(std::uint64_t{1} << 60, [] { return true; });
}

TEST(BytePace, WaitsForWhatIsDueAndEndsWhenAskedToStop) {
  BytePace pace(1e9);
  for (int i = 0; i < 10; ++i) pace.take(100, {});
  BytePace slow(1);
  EXPECT_THROW(slow.take(1000, [] { return true; }), Stopped);
}

TEST(RequestPace, SpreadsWhatIsLeftOfTheQuota) {
  RequestPace pace;
  EXPECT_EQ(pace.wait_seconds(), 0);
  const auto note = [&](const char* left) {
    pace.note({200,
               {{"ratelimit", std::string("\"api\";r=") + left + ";t=50"},
                {"ratelimit-policy", "\"fixed window\";\"api\";q=1000;w=300"}}});
  };
  note("500");
  EXPECT_EQ(pace.wait_seconds(), 0);
  note("10");
  EXPECT_EQ(pace.wait_seconds(), 5);
  note("0");
  EXPECT_EQ(pace.wait_seconds(), 50);
  pace.note({200, {}});
  EXPECT_EQ(pace.wait_seconds(), 50) << "an answer without the headers says nothing";
  note("900");
  EXPECT_EQ(pace.wait_seconds(), 0);
}

}  // namespace
}  // namespace lq::net
