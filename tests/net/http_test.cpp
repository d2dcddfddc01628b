#include "common/net/http.h"

#include "tests/net/hub_test.h"

namespace lq::net {
namespace {

using nlohmann::json;
using testing::kCommit;

TEST(RangeProblem, IsAnyOtherRangeSizeOrSpelling) {
  const auto problem = [](const std::string& given) {
    return range_problem({206, {{"content-range", given}}}, {10, 20}, 100);
  };
  EXPECT_EQ(problem("bytes 10-19/100"), "");
  EXPECT_EQ(problem("bytes 10-18/100"),
            "asked for bytes 10-19/100, it answered with bytes 10-18/100");
  EXPECT_EQ(problem("bytes 10-19/\x1b"),
            "asked for bytes 10-19/100, it answered with bytes 10-19/\\x1B");
  for (const char* const given :
       {"bytes 11-19/100", "bytes 10-19/101", "bytes 10-19/*", "10-19/100", ""}) {
    EXPECT_NE(problem(given), "") << given;
  }
  EXPECT_NE(range_problem({206, {}}, {10, 20}, 100), "");
}

class HttpTest : public HubTest {
 protected:
  static constexpr std::size_t kSize = 300'000;

  void SetUp() override {
    model_ = hub_.add_model("org/model", 1, kSize);
    start();
    settings_.user_agent = "test/1";
  }
  Url address(const std::string& path) const { return *Url::parse(hub_.endpoint() + path); }
  Url content(const std::string& path) const {
    return address("/api/resolve-cache/models/org/model/" + std::string(kCommit) + "/" + path);
  }
  TransportFailure failure(const HttpRequest& request, const std::string& text = "") {
    HttpConnection connection(settings_);
    return failure(connection, request, text);
  }
  static TransportFailure failure(HttpConnection& connection, const HttpRequest& request,
                                  const std::string& text) {
    Collected sink;
    try {
      connection.get(request, sink);
    } catch (const TransportError& error) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
      EXPECT_STRNE(error.what(), "");
      return error.failure();
    }
    ADD_FAILURE() << "there was an answer";
    return {};
  }

  std::map<std::string, std::string> model_;
  HttpSettings settings_;
};

TEST_F(HttpTest, GivesStatusHeadersAndBody) {
  HttpConnection connection(settings_);
  Collected sink;
  const HttpHead head = connection.get({.url = content("config.json")}, sink);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("content-type"), "application/octet-stream");
  EXPECT_EQ(head.header("x-repo-commit"), kCommit);
  EXPECT_EQ(head.header("not-there"), "");
  EXPECT_EQ(sink.text, model_.at("config.json"));
  Collected missing;
  EXPECT_EQ(connection.get({.url = address("/api/models/org/none")}, missing).status, 401);
  EXPECT_NE(missing.text.find("Repository not found"), std::string::npos);
  const auto requests = hub_.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0]["connection"], requests[1]["connection"]) << "it is kept";
  EXPECT_EQ(requests[0]["user_agent"], "test/1");
  EXPECT_TRUE(requests[0]["authorization"].is_null());
}

TEST_F(HttpTest, AnAnswerWithoutBodyBeginsAsWell) {
  hub_.faults({{{"on", "hub"}, {"status", 204}}});
  Collected sink;
  EXPECT_EQ(HttpConnection(settings_).get({.url = address("/")}, sink).status, 204);
  EXPECT_EQ(sink.begins, 1);
}

TEST_F(HttpTest, JoinsLinkHeadersAndTakesTheLastOfOthers) {
  hub_.faults({{{"on", "hub"},
                {"headers",
                 {{"Link", {"<a>; rel=\"x\"", "<b>; rel=\"next\""}}, {"X-Twice", {"1", "2"}}}}}});
  Collected sink;
  const HttpHead head = HttpConnection(settings_).get({.url = content("config.json")}, sink);
  EXPECT_EQ(head.header("link"), "<a>; rel=\"x\", <b>; rel=\"next\"");
  EXPECT_EQ(head.header("x-twice"), "2");
}

TEST_F(HttpTest, LeavesSecretsOutOfWhatAServerRepeats) {
  hub_.faults(
      {{{"on", "hub"},
        {"status", 403},
        {"headers", {{"X-Error-Message", "hf_valid and https://h/x?sig=1 have expired"}}}}});
  Collected sink;
  const std::string token = "hf_valid";
  const HttpHead head =
      HttpConnection(settings_).get({.url = content("config.json"), .bearer = &token}, sink);
  EXPECT_EQ(head.header("x-error-message"), "<redacted> and https://h/x have expired");
}

TEST_F(HttpTest, EndsWhereTheSinkHasEnough) {
  Collected sink;
  sink.enough = 100;
  const HttpHead head = HttpConnection(settings_).get({.url = content("tokenizer.json")}, sink);
  EXPECT_EQ(head.status, 200);
  EXPECT_GE(sink.text.size(), 100U);
}

TEST_F(HttpTest, AsksForARangeAndSendsTheToken) {
  Collected sink;
  std::vector<std::string> lines;
  settings_.trace = [&](const std::string& line) { lines.push_back(line); };
  const Url url = *Url::parse(content("tokenizer.json").text() + "?secret=1");
  const std::string token = "hf_valid";
  const HttpHead head =
      HttpConnection(settings_).get({.url = url, .bearer = &token, .range = Extent{10, 20}}, sink);
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(range_problem(head, {10, 20}, 30'000), "");
  EXPECT_EQ(sink.text, model_.at("tokenizer.json").substr(10, 10));
  EXPECT_EQ(hub_.requests().at(0)["authorization"], "Bearer hf_valid");
  EXPECT_EQ(lines, (std::vector<std::string>{"GET " + content("tokenizer.json").text() +
                                                 " bytes 10-19, Bearer <redacted>",
                                             "answered 206"}));
}

TEST_F(HttpTest, AShortBodyThatNobodyWantsKeepsTheConnection) {
  HttpConnection connection(settings_);
  for (const char* const path : {"config.json", "model.safetensors", "config.json"}) {
    Collected sink;
    sink.wanted = false;
    EXPECT_EQ(connection.get({.url = content(path)}, sink).status,
              std::string(path) == "config.json" ? 200 : 302);
    EXPECT_EQ(sink.text, "");
  }
  hub_.faults({{{"on", "hub"}, {"body", std::string(1'000'000, 'x')}}});
  Collected sink;
  sink.wanted = false;
  EXPECT_EQ(connection.get({.url = content("config.json")}, sink).status, 200) << "a long one ends";
  hub_.faults(json::array());
  EXPECT_EQ(connection.get({.url = content("config.json")}, sink).status, 200);
  const auto requests = hub_.requests();
  ASSERT_EQ(requests.size(), 5U);
  EXPECT_EQ(requests[0]["connection"], requests[3]["connection"]);
  EXPECT_NE(requests[3]["connection"], requests[4]["connection"]);
}

TEST_F(HttpTest, EndsWhenItIsAskedTo) {
  hub_.faults({{{"on", "hub"}, {"stall_after", 1000}}});
  Collected sink;
  settings_.stop = [&] { return sink.text.size() >= 1000; };
  EXPECT_THROW(HttpConnection(settings_).get({.url = content("tokenizer.json")}, sink), Stopped);
  EXPECT_EQ(sink.text, model_.at("tokenizer.json").substr(0, 1000));
}

TEST_F(HttpTest, RefusesWhatItDidNotAskFor) {
  hub_.faults({{{"on", "hub"}, {"gzip", true}}});
  EXPECT_EQ(failure({.url = content("config.json")}, "the answer is compressed, unasked"),
            TransportFailure::kBroken);
  const std::vector<std::string> many(3000, std::string(100, 'x'));
  hub_.faults({{{"on", "hub"}, {"headers", {{"X-Many", many}}}}});
  EXPECT_EQ(failure({.url = content("config.json")}, "headers do not end"),
            TransportFailure::kBroken);
}

TEST_F(HttpTest, ABodyThatEndsEarlyIsNoAnswer) {
  for (const json& fault : {json{{"drop_after", 100}}, json{{"reset_after", 100}},
                            json{{"drop_after", -1}}, json{{"content_length", 100}}}) {
    hub_.faults(json::array({fault}));
    EXPECT_EQ(failure({.url = content("tokenizer.json")}), TransportFailure::kBroken) << fault;
  }
}

TEST_F(HttpTest, AStalledAnswerEnds) {
  hub_.faults({{{"on", "hub"}, {"stall_after", 100}}});
  EXPECT_EQ(failure({.url = content("tokenizer.json"), .total_seconds = 0.3}),
            TransportFailure::kStalled);
  settings_.stall_seconds = 1;
  EXPECT_EQ(failure({.url = content("tokenizer.json")}), TransportFailure::kStalled);
}

TEST_F(HttpTest, SaysWhyThereIsNoConnection) {
  EXPECT_EQ(failure({.url = *Url::parse("http://127.0.0.1:1/x?sig=1")}, "http://127.0.0.1:1/x: "),
            TransportFailure::kConnect);
  EXPECT_EQ(failure({.url = *Url::parse("http://no-such-host.invalid/")}, "no-such-host.invalid"),
            TransportFailure::kResolve);
}

TEST_F(HttpTest, GoesOnAfterAHostThatWasNotFound) {
  HttpConnection connection(settings_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(failure(connection, {.url = *Url::parse("http://no-such-host.invalid/")}, "resolve"),
              TransportFailure::kResolve);
  }
  Collected sink;
  EXPECT_EQ(connection.get({.url = content("config.json")}, sink).status, 200);
  EXPECT_EQ(sink.text, model_.at("config.json"));
}

TEST_F(HttpTest, NamesNoPasswordOfAProxy) {
  ::setenv("no_proxy", "", 1);
  settings_.http_proxy = "nothing://user:S3CRET@127.0.0.1";
  failure({.url = content("config.json")},
          "the proxy that http_proxy, https_proxy or ALL_PROXY name");
  settings_.http_proxy = "http://user:S3CRET@no-such-host.invalid:1";
  EXPECT_EQ(failure({.url = content("config.json")}, "the proxy that"), TransportFailure::kProxy);
  EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(HttpTest, PassesOnWhatTheSinkThrowsAndGoesOn) {
  struct Throwing : Collected {
    bool data(std::span<const std::byte>) override { throw std::runtime_error("full"); }
  } throwing;
  HttpConnection connection(settings_);
  EXPECT_THROW(connection.get({.url = content("config.json")}, throwing), std::runtime_error);
  Collected sink;
  EXPECT_EQ(connection.get({.url = content("config.json")}, sink).status, 200);
  EXPECT_EQ(sink.text, model_.at("config.json"));
}

TEST(HttpTls, TrustsTheCertificatesItIsGivenAlone) {
  ::setenv("no_proxy", "127.0.0.1", 1);
  testing::HubServer hub;
  hub.add_model("org/model", 1, 1000);
  hub.use_tls();
  hub.start();
  const HttpRequest request = {.url = *Url::parse(hub.endpoint() + "/api/models/org/model")};
  const auto failure = [&](const std::string& ca_file) {
    HttpSettings settings;
    settings.ca_file = ca_file;
    Collected sink;
    try {
      EXPECT_EQ(HttpConnection(settings).get(request, sink).status, 200);
    } catch (const TransportError& error) {
      return std::optional(error.failure());
    }
    return std::optional<TransportFailure>();
  };
  EXPECT_EQ(failure(""), TransportFailure::kCertificate);
  EXPECT_EQ(failure("/nonexistent"), TransportFailure::kCertificate);
  EXPECT_EQ(failure(hub.certificate()), std::nullopt);
}

}  // namespace
}  // namespace lq::net
