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

TEST(RequestPace, SpreadsWhatIsLeftOfTheQuotaUntilItsReset) {
  RequestPace pace;
  EXPECT_EQ(pace.take(0), 0);
  const auto note = [&](const char* left, double now) {
    pace.note({200,
               {{"ratelimit", std::string("\"api\";r=") + left + ";t=50"},
                {"ratelimit-policy", "\"fixed window\";\"api\";q=1000;w=300"}}},
              now);
  };
  note("500", 0);
  EXPECT_EQ(pace.take(0), 0);
  note("10", 100);
  EXPECT_EQ(pace.take(100), 5);
  EXPECT_EQ(pace.take(100), 10) << "the next one comes after it";
  pace.note({200, {}}, 100);
  EXPECT_EQ(pace.take(100), 15) << "an answer without the headers says nothing";
  EXPECT_EQ(pace.take(150), 0) << "the quota is new";
  note("0", 200);
  EXPECT_EQ(pace.take(200), 50);
  note("900", 201);
  EXPECT_EQ(pace.take(201), 0);
  note("10", 202);
  EXPECT_EQ(pace.take(202), 5) << "the turns of before do not count";
}

}  // namespace
}  // namespace lq::net
