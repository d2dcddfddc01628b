#include "common/net/refusal.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"

namespace lq::net {
namespace {

using Headers = std::map<std::string, std::string>;

class RefusalTest : public ::testing::Test {
 protected:
  Answer answer(long status, Headers headers) const {
    return {{status, std::move(headers)}, *Url::parse("https://hub/x?sig=1"), true, {}};
  }
  template <class Error>
  Error refusal(long status, Headers headers, const Token& token = {}) {
    const Asked asked = {.what = "cannot download x of org/name",
                         .id = "org/name",
                         .revision = "v1",
                         .path = "x",
                         .endpoint = "https://hub",
                         .token = &token};
    return testing::error_of<Error>([&] { throw_refusal(answer(status, headers), asked); });
  }
};

TEST_F(RefusalTest, AMissingRepositorySaysWhetherATokenWasSent) {
  const auto error = refusal<base::ModelNotFoundError>(
      401, {{"x-error-code", "RepoNotFound"}, {"x-request-id", "Root=1"}});
  EXPECT_STREQ(error.what(), "cannot download x of org/name");
  EXPECT_EQ(error.why(),
            "https://hub has no repository org/name that it shows to you: status 401 "
            "RepoNotFound, request Root=1; no token was sent");
  EXPECT_EQ(error.fix(),
            "check the spelling; if it is private, set HF_TOKEN, or run: hf auth login");
  refusal<base::ModelNotFoundError>(404, {});
  refusal<base::ModelNotFoundError>(401, {});
}

TEST_F(RefusalTest, AMissingRevisionAndAMissingFile) {
  EXPECT_EQ(refusal<base::ModelNotFoundError>(404, {{"x-error-code", "RevisionNotFound"}}).why(),
            "org/name has no revision v1: status 404 RevisionNotFound");
  const auto entry = refusal<base::ModelNotFoundError>(404, {{"x-error-code", "EntryNotFound"}});
  EXPECT_EQ(entry.why(), "x is not in org/name at v1: status 404 EntryNotFound");
  EXPECT_EQ(entry.fix(), "lq-fetch org/name --list shows what is there");
}

TEST_F(RefusalTest, ATokenThatIsNotGoodEnough) {
  const Token token("hf_secret", "the variable HF_TOKEN");
  const auto bad = refusal<base::AuthenticationError>(
      401, {{"x-error-message", "Invalid credentials: x"}}, token);
  EXPECT_EQ(bad.why(),
            "the server does not accept the token of the variable HF_TOKEN: Invalid credentials: "
            "x (401)");
  EXPECT_EQ(bad.fix(),
            "renew it with: hf auth login; for a public repository, "
            "HF_HUB_DISABLE_IMPLICIT_TOKEN=1 does without");
  const auto scope = refusal<base::AuthenticationError>(403, {}, token);
  EXPECT_EQ(scope.why(),
            "access is refused: status 403; the token of the variable HF_TOKEN was sent");
  EXPECT_EQ(scope.fix(),
            "give the token the scope to read this repository (and gated ones, if it is gated)");
  EXPECT_EQ(refusal<base::AuthenticationError>(403, {}).fix(),
            "set HF_TOKEN, or run: hf auth login");
}

TEST_F(RefusalTest, TheReasonThatTheHubNamesDecidesAndNotTheStatus) {
  for (const char* const code : {"RepoNotFound", "RevisionNotFound", "EntryNotFound"}) {
    for (const long status : {401L, 404L, 429L, 500L, 503L}) {
      EXPECT_TRUE(is_refusal(answer(status, {{"x-error-code", code}}))) << status << code;
      refusal<base::ModelNotFoundError>(status, {{"x-error-code", code}});
    }
  }
  EXPECT_TRUE(is_refusal(answer(500, {{"x-error-code", "GatedRepo"}})));
  refusal<base::AuthenticationError>(500, {{"x-error-code", "GatedRepo"}});
  EXPECT_FALSE(is_refusal(answer(500, {{"x-error-code", "SomethingElse"}})));
  EXPECT_FALSE(is_refusal(answer(429, {})));
  EXPECT_TRUE(is_refusal(answer(403, {})));
}

TEST_F(RefusalTest, AnythingElseIsTheNetworks) {
  const auto error = refusal<base::NetworkError>(451, {{"x-error-message", "no\x1b"}});
  EXPECT_EQ(error.why(), "https://hub/x answered with no\\x1B (451)");
  EXPECT_EQ(error.fix(), "check HF_ENDPOINT and the proxy, or try again later");
}

}  // namespace
}  // namespace lq::net
