// What goes wrong on the way: the right bytes in the end, or the right exit code, and nothing lost.

#include <algorithm>
#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Fault {
  std::string name;
  json rules;
  int exit_code = 0;
  std::string message = "";  // on standard error
  std::vector<std::string> options = {};
  std::size_t shard_bytes = 300'000;
};

constexpr std::size_t kInSegments = 9'000'000;  // smaller files come in one request

/// Whether a request was answered as one of the rules says.
bool a_rule_fired(const HubServer& hub) {
  return std::ranges::any_of(hub.requests(),
                             [](const json& request) { return !request["rule"].is_null(); });
}

json storage(json action, int times = -1) {
  json rule = {{"on", "storage"}};
  if (times > 0) rule["times"] = times;
  rule.update(action);
  return rule;
}

std::vector<Fault> faults() {
  std::vector<Fault> all;
  json drops = json::array(), resets = json::array();
  for (int tenth = 1; tenth < 10; ++tenth) {
    drops.push_back(storage({{"drop_after", 30'000 * tenth}}, 1));
    resets.push_back(storage({{"reset_after", 30'000 * tenth}}, 1));
  }
  all.push_back({"ConnectionDroppedAtEveryTenth", drops});
  all.push_back({"ConnectionResetAtEveryTenth", resets});
  all.push_back({"AByteFromEachConnection",
                 {storage({{"drop_after", 1}, {"path", "00001"}})},
                 9,
                 "(tried 4 times)"});
  all.push_back({"Answering503ThreeTimes", {storage({{"status", 503}}, 3)}, 0, "status 503"});
  all.push_back({"Answering503ForEver", {storage({{"status", 503}})}, 9, "(tried 4 times)"});
  all.push_back({"MissingInTheStorage", {storage({{"status", 404}})}, 9, "(tried 2 times)"});
  all.push_back(
      {"RangeThatTheStorageDoesNotHave", {storage({{"status", 416}})}, 9, "(tried 2 times)"});
  all.push_back({"AReasonOfTheHubUnderAnotherStatus",
                 {{{"on", "hub"},
                   {"path", "/resolve/"},
                   {"status", 500},
                   {"headers", {{"X-Error-Code", "GatedRepo"}}}}},
                 4,
                 "the repository is gated"});
  all.push_back({"TooManyRequestsWithRetryAfter",
                 {storage({{"status", 429}, {"headers", {{"Retry-After", "2"}}}}, 1)},
                 0,
                 "next attempt in 2.0 s"});
  all.push_back({"RetryAfterThatIsTooLong",
                 {storage({{"status", 429}, {"headers", {{"Retry-After", "3600"}}}}, 1)},
                 9,
                 "the server asks to wait 3600 seconds"});
  all.push_back({"StalledInMidFile", {storage({{"stall_after", 1000}}, 1)}, 0, "next attempt"});
  all.push_back({"RetryAfterADate",
                 {storage({{"status", 503}, {"headers", {{"Retry-After", "{date+2}"}}}}, 1)}});
  all.push_back({"ContentLengthTooLong", {storage({{"content_length", 1000}}, 1)}});
  all.push_back({"ContentLengthTooShort", {storage({{"content_length", -1000}}, 1)}});
  all.push_back({"AFlippedByteOnce",
                 {storage({{"flip", {5000}}, {"path", "00001"}}, 1)},
                 0,
                 "is fetched again"});
  all.push_back({"AFlippedByteAlways",
                 {storage({{"flip", {5000}}, {"path", "00001"}})},
                 6,
                 "does not have the hash that the Hub lists, twice"});
  all.push_back({"RangesIgnored", {storage({{"ignore_range", true}})}});
  all.push_back({"RangesIgnoredInSegments",
                 {storage({{"ignore_range", true}})},
                 0,
                 "",
                 {"--segment", "1M"},
                 kInSegments});
  // The second answer begins at 0 again, over bytes that were hashed already.
  all.push_back({"RangesIgnoredDroppedAndThenFlipped",
                 {storage({{"ignore_range", true}, {"drop_after", 150'000}, {"path", "00001"}}, 1),
                  storage({{"ignore_range", true}, {"flip", {5000}}, {"path", "00001"}}, 1)}});
  all.push_back({"RangesIgnoredAndAlwaysDropped",
                 {storage({{"ignore_range", true}, {"drop_after", 150'000}})},
                 9,
                 "(tried 4 times)"});
  all.push_back({"RangesShiftedHonestly",
                 {storage({{"shift_range", 7}, {"honest", true}}, 1)},
                 0,
                 "it answered with"});
  all.push_back({"RangesShiftedInSilence", {storage({{"shift_range", 7}}, 1)}, 0, "fetched again"});
  all.push_back({"TotalFalsified", {storage({{"total", 5}})}, 9, "it answered with"});
  all.push_back({"Compressed", {storage({{"gzip", true}})}, 9, "compressed, unasked"});
  all.push_back({"SignedAddressExpiredInMidFile",
                 {storage({{"skip", 2}, {"expire", true}}, 1)},
                 0,
                 "",
                 {"--segment", "1M", "--jobs", "1"},
                 kInSegments});
  all.push_back({"RedirectLoop",
                 {{{"on", "hub"}, {"path", "/resolve/"}, {"location", "{self}"}}},
                 9,
                 "in a circle"});
  all.push_back({"RedirectWithUserAndPassword",
                 {{{"on", "hub"}, {"path", "/resolve/"}, {"location", "http://me:pw@127.0.0.1/"}}},
                 9,
                 "to an address that is not used: http://127.0.0.1/\n"});
  all.push_back({"ForeignCommit",
                 {{{"on", "hub"}, {"path", "/resolve/"}, {"commit_header", kOtherCommit}}},
                 9,
                 "the answer belongs to commit"});
  all.push_back({"ForeignEtag",
                 {{{"on", "hub"}, {"path", "/resolve/"}, {"etag", "../../evil"}}},
                 9,
                 "the answer is of content ../../evil"});
  all.push_back({"WeakEtag", {{{"on", "any"}, {"weak_etag", true}}}});
  all.push_back({"NoCommitHeader", {{{"on", "any"}, {"no_commit_header", true}}}});
  all.push_back({"ListOnAnotherHost",
                 {{{"on", "hub"},
                   {"path", "/tree/"},
                   {"headers", {{"Link", "<http://127.0.0.1:1/next>; rel=\"next\""}}}}},
                 9,
                 "the next page of the list is on another host"});
  all.push_back({"ListThatIsNoJson",
                 {{{"on", "hub"}, {"path", "/tree/"}, {"status", 200}, {"body", "<html>"}}},
                 9,
                 "did not answer with JSON"});
  all.push_back({"RevisionAnswering500Twice",
                 {{{"on", "hub"}, {"path", "/revision/"}, {"times", 2}, {"status", 500}}}});
  all.push_back({"NoAnswerOnce", {storage({{"drop_after", -1}}, 1)}});
  all.push_back({"UnrangedRequestsRefused", {storage({{"refuse_unranged_over", 1000}})}});
  all.push_back({"AWarningOfTheHub",
                 {{{"on", "any"}, {"warning", "Topic; be careful"}}},
                 0,
                 "the Hub warns"});
  all.push_back({"QuotaUsedUp",
                 {{{"on", "hub"},
                   {"path", "/resolve/"},
                   {"times", 1},
                   {"status", 429},
                   {"rate_limit", {{"r", 0}, {"q", 3000}, {"t", 1}, {"w", 300}}}}}});
  return all;
}

class FaultTest : public FetchTest, public ::testing::WithParamInterface<Fault> {
 protected:
  /// A second run, the fault being gone, always ends with the right bytes.
  void expect_everything(const Files& model, const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"org/model", "-o", "here"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Outcome healed = fetch(arguments);
    EXPECT_EQ(healed.exit_code, 0) << healed.err;
    EXPECT_EQ(files_in(scratch_.path() / "here"), model);
  }
};

TEST_P(FaultTest, EndsWithTheRightBytesOrTheRightCode) {
  const Fault& fault = GetParam();
  const Files model = hub_.add_model("org/model", 2, fault.shard_bytes);
  hub_.faults(fault.rules);
  hub_.start();
  std::vector<std::string> arguments = {"org/model", "-o", "here"};
  arguments.insert(arguments.end(), fault.options.begin(), fault.options.end());
  const Outcome outcome = fetch(arguments);
  EXPECT_EQ(outcome.exit_code, fault.exit_code) << outcome.err;
  EXPECT_NE(outcome.err.find(fault.message), std::string::npos) << outcome.err;
  EXPECT_TRUE(a_rule_fired(hub_)) << "nothing went wrong on the way";
  const fs::path here = scratch_.path() / "here";
  if (fault.exit_code == 0) {
    EXPECT_EQ(files_in(here), model);
    return;
  }
  EXPECT_EQ(outcome.out, "");
  EXPECT_FALSE(fs::exists(here / "lq-manifest.json"));
  for (const auto& [path, bytes] : files_in(here)) EXPECT_EQ(bytes, model.at(path)) << path;
  hub_.faults(json::array());
  expect_everything(model, fault.options);
}

INSTANTIATE_TEST_SUITE_P(All, FaultTest, ::testing::ValuesIn(faults()),
                         [](const auto& param) { return param.param.name; });

TEST_F(FetchTest, GoesOnAtTheLastByteThatCame) {
  hub_.add_model("org/model", 1, 20'000'000);
  hub_.faults({{{"on", "storage"}, {"times", 3}, {"drop_after", 4'000'000}}});
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "--jobs", "1"}).exit_code, 0);
  EXPECT_LT(storage_bytes(), 20'000'000U + 1'500'000U)
      << "what was sent and not received is asked again";
}

TEST_F(FetchTest, GivesUpOnAServerThatIsNotThere) {
  hub_.start();
  const Outcome refused = fetch({"org/model"}, {{"HF_ENDPOINT", "http://127.0.0.1:1"}});
  EXPECT_EQ(refused.exit_code, 9) << refused.err;
  const Outcome unknown = fetch({"org/model"}, {{"HF_ENDPOINT", "http://no-such-host.invalid"}});
  EXPECT_EQ(unknown.exit_code, 9) << unknown.err;
  EXPECT_NE(unknown.err.find("no-such-host.invalid"), std::string::npos) << unknown.err;
}

TEST_F(FetchTest, TrustsNoUnknownCertificate) {
  const Files model = hub_.add_model("org/model", 1, 300'000);
  hub_.use_tls();
  hub_.start();
  const Outcome refused = fetch({"org/model"});
  EXPECT_EQ(refused.exit_code, 9) << refused.err;
  EXPECT_NE(refused.err.find("certificate is not trusted"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("SSL_CERT_FILE"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.err.find("next attempt"), std::string::npos) << refused.err;
  const Outcome made = fetch({"org/model"}, {{"SSL_CERT_FILE", hub_.certificate()}});
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(files_in(snapshot("models--org--model")), model);
}

TEST_F(FetchTest, FollowsNoRedirectFromHttpsToHttp) {
  hub_.add_model("org/model", 1, 300'000);
  hub_.faults({{{"on", "hub"}, {"path", "/resolve/"}, {"location", "http://127.0.0.1:9/x"}}});
  hub_.use_tls();
  hub_.start();
  const Outcome refused = fetch({"org/model"}, {{"SSL_CERT_FILE", hub_.certificate()}});
  EXPECT_EQ(refused.exit_code, 9) << refused.err;
  EXPECT_NE(refused.err.find("from https to http"), std::string::npos) << refused.err;
}

TEST_F(FetchTest, ALimitOfFileSizesIsMetBeforeTheFirstByteOfAFile) {
  hub_.add_model("org/model", 1, 20'000'000);
  hub_.start();
  const Command whole = command({"org/model"});
  Command limited = whole;  // files above 8 MB cannot be written
  limited.arguments = {"bash", "-c", "ulimit -f 8000; exec \"$0\" \"$@\""};
  limited.arguments.insert(limited.arguments.end(), whole.arguments.begin(), whole.arguments.end());
  const Outcome full = run(limited);
  EXPECT_EQ(full.exit_code, 8) << full.err;
  EXPECT_NE(full.err.find("cannot reserve "), std::string::npos) << full.err;
  EXPECT_LE(storage_bytes(), 1U) << "only the question whether access is given";
  EXPECT_EQ(run(whole).exit_code, 0);
}

}  // namespace
}  // namespace lq::testing
