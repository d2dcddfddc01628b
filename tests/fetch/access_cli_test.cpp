// Who may have what: repositories that are private, gated, disabled or not there, and where the
// token goes.

#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"
#include "tests/support/wait_until.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class AccessTest : public FetchTest {
 protected:
  void SetUp() override {
    hub_.add_model("org/public", 1, 200'000);
    hub_.add_model("org/private", 1, 200'000, {{"private", true}, {"tokens", {"hf_good"}}});
    hub_.add_model("org/gated", 1, 200'000, {{"gated", "manual"}, {"tokens", {"hf_good"}}});
    hub_.add_model("org/disabled", 1, 200'000, {{"disabled", true}});
    hub_.start();
  }
  void expect(const std::string& id, const std::string& token, int code, const std::string& why,
              const std::string& fix) {
    const Outcome outcome = fetch({id}, {{"HF_TOKEN", token}});
    EXPECT_EQ(outcome.exit_code, code) << id << ' ' << token << '\n' << outcome.err;
    EXPECT_NE(outcome.err.find(why), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("fix: " + fix), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
};

TEST_F(AccessTest, TellsWhatIsMissingFromWhatIsForbidden) {
  const std::string spelling = "check the spelling; if it is private, set HF_TOKEN";
  expect("org/none", "", 3, "no token was sent", spelling);
  expect("org/none", "hf_valid", 3, "the token of the variable HF_TOKEN was sent", spelling);
  expect("org/private", "", 3, "no token was sent", spelling);
  expect("org/gated", "", 4, "the repository is gated and its terms have not been accepted",
         "open " + hub_.endpoint() + "/org/gated and accept the terms, then set HF_TOKEN");
  expect("org/gated", "hf_valid", 4, "the repository is gated",
         "open " + hub_.endpoint() + "/org/gated and accept the terms with the account of that");
  expect("org/public", "hf_nonsense", 4, "does not accept the token of the variable HF_TOKEN",
         "renew it with: hf auth login");
  expect("org/disabled", "", 4, "the repository was disabled", "nothing helps here");
  EXPECT_EQ(fetch({"org/private"}, {{"HF_TOKEN", "hf_good"}}).exit_code, 0);
  EXPECT_EQ(fetch({"org/gated"}, {{"HF_TOKEN", "hf_good"}}).exit_code, 0);
  EXPECT_EQ(fetch({"org/public", "--no-token"}, {{"HF_TOKEN", "hf_nonsense"}}).exit_code, 0);
}

TEST_F(AccessTest, GatedWeightsAreRefusedBeforeAnythingIsWritten) {
  expect("org/gated", "", 4, "GatedRepo", "open ");
  EXPECT_FALSE(fs::exists(scratch_.path() / "home/hub"));
}

TEST_F(AccessTest, TheTokenGoesToTheHubAlone) {
  ASSERT_EQ(fetch({"org/gated"}, {{"HF_TOKEN", "hf_good"}}).exit_code, 0);
  std::size_t seen = 0;
  for (const json& request : hub_.requests()) {
    if (request["host"] == "hub") {
      EXPECT_EQ(request["authorization"], "Bearer hf_good") << request;
      ++seen;
    } else {
      EXPECT_TRUE(request["authorization"].is_null()) << request;
    }
  }
  EXPECT_GE(seen, 3U);
}

TEST_F(AccessTest, TakesTheTokenFromWhereItIsKept) {
  const fs::path file = scratch_.write("token", "hf_good\n");
  EXPECT_EQ(fetch({"org/private", "-o", "a", "--token-file", file}).exit_code, 0);
  scratch_.write("home/token", "hf_good");
  EXPECT_EQ(fetch({"org/private", "-o", "b"}).exit_code, 0);
  scratch_.write("home/stored_tokens",
                 "[one]\nhf_token = hf_nonsense\n[two]\nhf_token = hf_good\n");
  EXPECT_EQ(fetch({"org/private", "-o", "c", "--token-name", "two"}).exit_code, 0);
  EXPECT_EQ(fetch({"org/private", "-o", "d", "--token-name", "one"}).exit_code, 4);
}

TEST_F(AccessTest, NoSecretIsWrittenAnywhere) {
  const std::string secret = "hf_good";
  const fs::path log = scratch_.path() / "log";
  hub_.faults({{{"on", "storage"}, {"times", 1}, {"status", 503}},
               {{"on", "storage"}, {"times", 1}, {"drop_after", 1000}}});
  const Outcome outcome =
      fetch({"org/gated", "-vv", "--log-file", log, "-o", "here"}, {{"HF_TOKEN", secret}});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Outcome refused =
      fetch({"org/public", "-vv", "--log-file", log}, {{"HF_TOKEN", "hf_nonsense"}});
  EXPECT_EQ(refused.exit_code, 4);
  std::string everything = outcome.err + outcome.out + refused.err + refused.out + read_file(log);
  for (const auto& entry : fs::recursive_directory_iterator(scratch_.path() / "here")) {
    if (entry.is_regular_file()) everything += read_file(entry.path());
  }
  EXPECT_NE(everything.find("Bearer <redacted>"), std::string::npos) << "the search finds things";
  EXPECT_NE(everything.find("503"), std::string::npos);
  for (const std::string& word : std::vector<std::string>{secret, "hf_nonsense", "sig="}) {
    EXPECT_EQ(everything.find(word), std::string::npos) << word;
  }
}

TEST_F(AccessTest, ThePasswordOfAProxyIsNotShown) {
  for (const char* proxy :
       {"http://user:S3CRET/PW@127.0.0.1:9", "nothing://user:S3CRET@127.0.0.1"}) {
    const Outcome refused =
        fetch({"org/public", "-vv"}, {{"http_proxy", proxy}, {"no_proxy", "x"}});
    EXPECT_EQ(refused.exit_code, 9) << refused.err;
    EXPECT_EQ(refused.err.find("S3CRET"), std::string::npos) << refused.err;
  }
}

TEST_F(AccessTest, NoSecretIsOnTheCommandLineOfTheProcess) {
  hub_.faults({{{"on", "storage"}, {"stall_after", 1000}}});
  const fs::path place = scratch_.path() / "here";
  RunningCommand running(command({"org/gated", "-o", place}, {{"HF_TOKEN", "hf_good"}}));
  ASSERT_TRUE(wait_until([&] { return !hub_.finished_requests().empty() || running.ended(); }));
  EXPECT_EQ(hub_.finished_requests().at(0)["authorization"], "Bearer hf_good");
  const Outcome processes = run({{"ps", "axww", "-o", "args"}, {}, {}});
  EXPECT_NE(processes.out.find("lq-fetch org/gated -o " + place.string()), std::string::npos)
      << processes.out;
  EXPECT_EQ(processes.out.find("hf_good"), std::string::npos);
}

}  // namespace
}  // namespace lq::testing
