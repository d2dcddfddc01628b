#include "common/net/retry.h"

#include <gtest/gtest.h>

#include "common/net/rate_limit.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

HttpHead head_with(std::map<std::string, std::string> headers) { return {200, std::move(headers)}; }

TEST(RateLimit, IsReadFromTheHeaders) {
  const RateLimit limit = rate_limit_of(
      head_with({{"ratelimit", "\"resolvers\";r=2998;t=172"},
                 {"ratelimit-policy", "\"fixed window\";\"resolvers\";q=3000;w=300"}}));
  EXPECT_EQ(limit.left, 2998);
  EXPECT_EQ(limit.seconds_to_reset, 172);
  EXPECT_EQ(limit.quota, 3000);
  const RateLimit none = rate_limit_of(head_with({{"ratelimit", "r;=;t=-1;r=x"}}));
  EXPECT_FALSE(none.left || none.seconds_to_reset || none.quota);
}

TEST(ServerHint, PrefersTheQuotaThatIsUsedUp) {
  EXPECT_EQ(server_hint(head_with({{"ratelimit", "\"api\";r=0;t=9"}, {"retry-after", "3"}}), 0),
            10);
  EXPECT_EQ(server_hint(head_with({{"ratelimit", "\"api\";r=1;t=9"}, {"retry-after", "3"}}), 0), 3);
  EXPECT_FALSE(server_hint(head_with({}), 0));
  EXPECT_FALSE(server_hint(head_with({{"retry-after", "soon"}}), 0));
  EXPECT_FALSE(server_hint(head_with({{"retry-after", "-5"}}), 0));
  EXPECT_FALSE(server_hint(head_with({{"retry-after", "inf"}}), 0));
}

TEST(ServerHint, TakesADate) {
  const HttpHead head = head_with({{"retry-after", "Thu, 01 Jan 1970 00:01:40 GMT"}});
  EXPECT_EQ(server_hint(head, 40), 60);
  EXPECT_EQ(server_hint(head, 4000), 0);
}

TEST(Transient, AreTheFailuresThatMayPass) {
  for (const long status : {408L, 416L, 425L, 429L, 500L, 502L, 503L, 504L}) {
    EXPECT_TRUE(is_transient(status)) << status;
  }
  for (const long status : {200L, 400L, 401L, 403L, 404L, 501L}) {
    EXPECT_FALSE(is_transient(status)) << status;
  }
  EXPECT_TRUE(is_transient(TransportFailure::kResolve));
  EXPECT_FALSE(is_transient(TransportFailure::kCertificate));
  EXPECT_FALSE(is_transient(TransportFailure::kRedirect));
}

class AttemptsTest : public ::testing::Test {
 protected:
  AttemptsTest() {
    patience_.first_wait = 0.001;
    patience_.announce = [this](const std::string& why, double seconds) {
      announced_.push_back(why);
      waits_.push_back(seconds);
    };
  }
  Patience patience_;
  std::vector<std::string> announced_;
  std::vector<double> waits_;
};

TEST_F(AttemptsTest, StopAfterThreeRetriesWithGrowingWaits) {
  Attempts attempts(patience_, "cannot fetch x");
  const auto error = testing::error_of<base::NetworkError>(
      [&] { attempts.run([] { return std::optional(Failure{"it broke"}); }); });
  EXPECT_STREQ(error.what(), "cannot fetch x");
  EXPECT_EQ(error.why(), "it broke (tried 4 times)");
  EXPECT_EQ(error.fix(),
            "run the same command again later: it goes on where it was; if it stays so, check the "
            "network, HF_ENDPOINT and the proxy variables");
  ASSERT_EQ(waits_.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    const double plain = 0.001 * (1 << i);
    EXPECT_GE(waits_[static_cast<std::size_t>(i)], 0.75 * plain);
    EXPECT_LE(waits_[static_cast<std::size_t>(i)], 1.25 * plain);
  }
}

TEST_F(AttemptsTest, TryOnceMoreWhereMoreMakesNoSense) {
  Attempts attempts(patience_, "cannot fetch x");
  const auto error = testing::error_of<base::NetworkError>([&] {
    attempts.run([] { return std::optional(Failure{"gone", {}, 1}); });
  });
  EXPECT_EQ(error.why(), "gone (tried 2 times)");
}

TEST_F(AttemptsTest, CountAgainAfterProgress) {
  Attempts attempts(patience_, "cannot fetch x");
  int calls = 0;
  attempts.run([&]() -> std::optional<Failure> {
    if (++calls == 10) return {};
    attempts.progressed();
    throw TransportError(TransportFailure::kBroken, "reset");
  });
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(announced_.front(), "reset");
}

TEST_F(AttemptsTest, GiveUpAtOnceOnWhatDoesNotPass) {
  Attempts attempts(patience_, "cannot fetch x");
  const auto certificate = testing::error_of<base::NetworkError>([&] {
    attempts.run([]() -> std::optional<Failure> {
      throw TransportError(TransportFailure::kCertificate, "self-signed");
    });
  });
  EXPECT_EQ(certificate.why(), "the server's certificate is not trusted: self-signed");
  EXPECT_EQ(certificate.fix(),
            "if it is your own server's or proxy's, name its CA file in SSL_CERT_FILE");
  const auto redirect = testing::error_of<base::NetworkError>([&] {
    attempts.run([]() -> std::optional<Failure> {
      throw TransportError(TransportFailure::kRedirect, "a redirects in a circle");
    });
  });
  EXPECT_EQ(redirect.why(), "a redirects in a circle");
  EXPECT_TRUE(waits_.empty());
}

TEST_F(AttemptsTest, GiveUpWhenTheServerAsksForTooLongAWait) {
  patience_.hint_option = "--max-wait";
  Attempts attempts(patience_, "cannot fetch x");
  const auto error = testing::error_of<base::NetworkError>([&] {
    attempts.run([] { return std::optional(Failure{"busy", 3600}); });
  });
  EXPECT_EQ(error.why(), "busy; the server asks to wait 3600 seconds");
  EXPECT_EQ(error.fix(),
            "run the same command again later: it goes on where it was, or allow the wait with "
            "--max-wait 3600");
}

TEST_F(AttemptsTest, EndWhenAskedToStop) {
  patience_.first_wait = 60;
  patience_.stop = [] { return true; };
  Attempts attempts(patience_, "cannot fetch x");
  EXPECT_THROW(attempts.run([] { return std::optional(Failure{"busy"}); }), Stopped);
}

}  // namespace
}  // namespace lq::net
