#include "common/net/redirect.h"

#include "tests/net/hub_test.h"

namespace lq::net {
namespace {

using nlohmann::json;
using testing::kCommit;

TEST(IsHub, IsEitherNameWithTlsAtItsOwnPort) {
  for (const char* const yes :
       {"https://huggingface.co/x", "https://HF.co", "https://hf.co:443/"}) {
    EXPECT_TRUE(is_hub(Url::parse(yes)->origin())) << yes;
  }
  for (const char* const no :
       {"http://huggingface.co", "https://huggingface.co:8443", "https://huggingface.co.evil.org",
        "https://www.huggingface.co", "https://evil-hf.co"}) {
    EXPECT_FALSE(is_hub(Url::parse(no)->origin())) << no;
  }
}

/// Notes each redirect as two letters: from and to the endpoint (e) or another place (o).
struct Noting : Collected {
  void redirected(const HttpHead&, bool from_endpoint, bool to_endpoint) override {
    hops += std::string(from_endpoint ? "e" : "o") + (to_endpoint ? "e " : "o ");
  }
  std::string hops;
};

class RedirectTest : public HubTest {
 protected:
  void SetUp() override {
    model_ = hub_.add_model("org/model", 1, 300'000);
    start();
  }
  Answer follow(const std::string& path, BodySink& sink) {
    HttpConnection connection(access_.http);
    HttpRequest request = {.url = *Url::parse(hub_.endpoint() + path), .bearer = &token_};
    return net::follow(connection, access_.endpoint, std::move(request), sink);
  }
  std::string refusal(const std::string& path) {
    Noting sink;
    try {
      follow(path, sink);
    } catch (const TransportError& error) {
      EXPECT_EQ(error.failure(), TransportFailure::kRedirect);
      EXPECT_EQ(sink.text, "");
      return error.what();
    }
    ADD_FAILURE() << "it was followed";
    return "";
  }
  const std::string token_ = "hf_valid";
  const std::string weights_ = "/org/model/resolve/" + std::string(kCommit) + "/model.safetensors";
  std::map<std::string, std::string> model_;
};

TEST_F(RedirectTest, AnAnswerAtOnceHasNoHops) {
  Noting sink;
  const Answer answer = follow("/api/models/org/model", sink);
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_TRUE(answer.at_endpoint);
  EXPECT_TRUE(answer.hops.empty());
  EXPECT_EQ(answer.heads().size(), 1U);
  EXPECT_EQ(sink.hops, "");
}

TEST_F(RedirectTest, OnTheEndpointTheTokenGoesAlong) {
  Noting sink;
  const Answer answer = follow("/org/model/resolve/" + std::string(kCommit) + "/config.json", sink);
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_TRUE(answer.at_endpoint);
  EXPECT_EQ(sink.hops, "ee ");
  for (const json& request : hub_.requests())
    EXPECT_EQ(request["authorization"], "Bearer hf_valid");
}

TEST_F(RedirectTest, TheTokenStaysAndOnlyTheLastBodyIsSeen) {
  Noting sink;
  const Answer answer = follow(weights_, sink);
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_FALSE(answer.at_endpoint);
  ASSERT_EQ(answer.hops.size(), 1U);
  EXPECT_EQ(answer.hops[0].status, 302);
  EXPECT_EQ(answer.heads().front()->header("x-repo-commit"), kCommit);
  EXPECT_EQ(answer.heads().back(), &answer.head);
  EXPECT_EQ(answer.url.text().find(hub_.endpoint()), std::string::npos);
  EXPECT_EQ(sink.text, model_.at("model.safetensors"));
  EXPECT_EQ(sink.hops, "eo ");
  const auto requests = hub_.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0]["authorization"], "Bearer hf_valid");
  EXPECT_TRUE(requests[1]["authorization"].is_null());
}

TEST_F(RedirectTest, OnceLeftOutTheTokenIsNotSentAgain) {
  hub_.faults({{{"on", "storage"}, {"location", "{hub}/api/models/org/model"}}});
  Noting sink;
  const Answer answer = follow(weights_, sink);
  EXPECT_EQ(answer.head.status, 200);
  EXPECT_EQ(sink.hops, "eo oo ");
  const auto requests = hub_.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[2]["host"], "hub");
  EXPECT_TRUE(requests[2]["authorization"].is_null());
}

TEST_F(RedirectTest, RefusesLoopsAndLongChains) {
  hub_.faults({{{"on", "hub"}, {"location", "{self}"}}});
  EXPECT_EQ(refusal("/a?sig=1"), hub_.endpoint() + "/a redirects in a circle");
  EXPECT_EQ(hub_.requests().size(), 1U);
  hub_.faults({{{"on", "hub"}, {"location", "/hop/{n}"}}});
  hub_.forget_requests();
  EXPECT_NE(refusal("/a").find(" redirects more than 10 times"), std::string::npos);
  EXPECT_EQ(hub_.requests().size(), 11U);
}

TEST_F(RedirectTest, RefusesAddressesThatAreNotUsed) {
  for (const auto& [location, shown] : std::map<std::string, std::string>{
           {"http://me:S3CRET@127.0.0.1/x?sig=1", "http://127.0.0.1/x"},
           {"ftp://127.0.0.1/x", "ftp://127.0.0.1/x"},
           {"file:///etc/passwd", "file:///etc/passwd"},
           {"http://", "http://"}}) {
    hub_.faults({{{"on", "hub"}, {"location", location}}});
    EXPECT_EQ(refusal("/a"),
              hub_.endpoint() + "/a redirects to an address that is not used: " + shown);
  }
  hub_.faults({{{"on", "hub"}, {"status", 302}}});
  EXPECT_EQ(refusal("/a"), hub_.endpoint() + "/a redirects without saying where");
}

TEST_F(RedirectTest, OtherAnswersOfThatKindAreNoRedirects) {
  for (const int status : {300, 304, 305}) {
    hub_.faults({{{"on", "hub"}, {"status", status}, {"headers", {{"Location", "/b"}}}}});
    Noting sink;
    EXPECT_EQ(follow("/a", sink).head.status, status);
  }
}

}  // namespace
}  // namespace lq::net
