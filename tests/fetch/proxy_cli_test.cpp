// Through a proxy, and from a mirror.

#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"
#include "tests/support/proxy_server.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kUser = "someone:S3CRET-WORD";
constexpr const char* kUserInBase64 = "c29tZW9uZTpTM0NSRVQtV09SRA==";

class ProxyTest : public FetchTest {
 protected:
  /// The run says everything that it can say, on standard error, in a log and in what it leaves.
  void expect_fetched_without_a_word(const std::map<std::string, std::string>& environment) {
    const fs::path log = scratch_.path() / "log", here = scratch_.path() / "here";
    const Outcome made = fetch({"org/model", "-vv", "--log-file", log, "-o", "here"}, environment);
    ASSERT_EQ(made.exit_code, 0) << made.err;
    EXPECT_EQ(files_in(here), model_);
    std::string everything = made.err + made.out + read_file(log);
    for (const auto& entry : fs::recursive_directory_iterator(here)) {
      if (entry.is_regular_file()) everything += read_file(entry.path());
    }
    EXPECT_NE(everything.find("answered 206"), std::string::npos) << "the search finds things";
    EXPECT_EQ(everything.find("S3CRET-WORD"), std::string::npos);
    EXPECT_EQ(everything.find(kUserInBase64), std::string::npos);
  }
  static std::set<std::string> methods(const std::vector<json>& requests) {
    std::set<std::string> all;
    for (const json& request : requests) all.insert(request["method"].get<std::string>());
    return all;
  }

  const Files model_ = hub_.add_model("org/model", 2, 300'000);
};

TEST_F(ProxyTest, PassesPlainRequestsOnAndKeepsItsPasswordToItself) {
  hub_.start();
  const ProxyServer proxy(kUser);
  const std::string address = std::string("http://") + kUser + "@" + proxy.address();
  expect_fetched_without_a_word({{"http_proxy", address}, {"no_proxy", ""}});
  const auto requests = proxy.requests();
  EXPECT_EQ(methods(requests), std::set<std::string>{"GET"});
  EXPECT_EQ(requests.size(), hub_.requests().size()) << "all of them came through it";
  for (const json& request : requests) EXPECT_TRUE(request["passed"].get<bool>()) << request;
}

TEST_F(ProxyTest, TunnelsToAHubWithTls) {
  hub_.use_tls();
  hub_.start();
  const ProxyServer proxy(kUser);
  const std::string address = std::string("http://") + kUser + "@" + proxy.address();
  expect_fetched_without_a_word(
      {{"https_proxy", address}, {"no_proxy", ""}, {"SSL_CERT_FILE", hub_.certificate()}});
  const auto requests = proxy.requests();
  EXPECT_EQ(methods(requests), std::set<std::string>{"CONNECT"});
  std::set<std::string> targets;
  for (const json& request : requests)
    targets.insert("https://" + request["target"].get<std::string>());
  EXPECT_TRUE(targets.contains(hub_.endpoint()));
  EXPECT_EQ(targets.size(), 2U) << "the Hub and its storage";
}

TEST_F(ProxyTest, IsLeftOutForHostsOfNoProxy) {
  hub_.start();
  const ProxyServer proxy;
  const std::string address = "http://" + proxy.address();
  for (const char* const hosts : {"127.0.0.1", "*", "example.org,127.0.0.1"}) {
    const Outcome made =
        fetch({"org/model", "-o", "here"}, {{"http_proxy", address}, {"no_proxy", hosts}});
    EXPECT_EQ(made.exit_code, 0) << made.err;
    fs::remove_all(scratch_.path() / "here");
  }
  EXPECT_TRUE(proxy.requests().empty());
}

TEST_F(ProxyTest, IsTakenFromTheUpperCaseVariableOutsideOfWebServers) {
  hub_.start();
  const ProxyServer proxy;
  const std::string address = "http://" + proxy.address();
  EXPECT_EQ(fetch({"org/model", "--list"},
                  {{"HTTP_PROXY", address}, {"no_proxy", ""}, {"REQUEST_METHOD", "GET"}})
                .exit_code,
            0);
  EXPECT_TRUE(proxy.requests().empty());
  EXPECT_EQ(fetch({"org/model", "--list"}, {{"HTTP_PROXY", address}, {"no_proxy", ""}}).exit_code,
            0);
  EXPECT_FALSE(proxy.requests().empty());
}

TEST_F(ProxyTest, ThatWantsAnotherPasswordIsNamed) {
  hub_.start();
  const ProxyServer proxy(kUser);
  const Outcome refused = fetch(
      {"org/model"}, {{"http_proxy", "http://someone:ELSE@" + proxy.address()}, {"no_proxy", ""}});
  EXPECT_EQ(refused.exit_code, 9) << refused.err;
  EXPECT_NE(refused.err.find("407"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("proxy"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.err.find("ELSE"), std::string::npos) << refused.err;
  EXPECT_TRUE(hub_.requests().empty());
}

class MirrorTest : public FetchTest {
 protected:
  void expect_that_the_hubs_addresses_stand_for_the_mirrors() {
    hub_.use_page_size(2);
    hub_.faults({{{"on", "hub"}, {"path", "/tree/"}, {"link_host", "https://huggingface.co"}}});
    hub_.start();
    const Outcome made = fetch({"org/model"}, {{"HF_TOKEN", "hf_good"}});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    EXPECT_EQ(files_in(snapshot("models--org--model")), model_);
  }

  const Files model_ =
      hub_.add_model("org/model", 2, 300'000, {{"gated", "auto"}, {"tokens", {"hf_good"}}});
};

TEST_F(MirrorTest, BelowAPathIsAHubLikeAnyOther) {
  hub_.add_model("org/new", 1, 200'000);
  hub_.add("org/old", {}, {{"renamed_to", "org/new"}});
  hub_.use_tls();
  hub_.use_prefix("/some/mirror");
  hub_.use_page_size(2);
  hub_.start();
  ASSERT_TRUE(hub_.endpoint().ends_with("/some/mirror"));
  std::map<std::string, std::string> environment = {{"SSL_CERT_FILE", hub_.certificate()},
                                                    {"HF_TOKEN", "hf_good"}};
  const Outcome made = fetch({"org/model"}, environment);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(files_in(snapshot("models--org--model")), model_);
  EXPECT_EQ(fetch({"org/old"}, environment).exit_code, 0);
  EXPECT_EQ(fetch({hub_.endpoint() + "/org/model/tree/main", "-o", "a"}, environment).exit_code, 0);
  environment["HF_ENDPOINT"] = hub_.endpoint() + "/";
  EXPECT_EQ(fetch({"org/model", "-o", "b"}, environment).exit_code, 0);
  for (const json& request : hub_.requests()) {
    const bool has_token = !request["authorization"].is_null();
    EXPECT_EQ(has_token, request["host"] == "hub") << request;
  }
}

TEST_F(MirrorTest, ThatNamesTheHubsOwnAddressesIsAskedInTheirPlace) {
  expect_that_the_hubs_addresses_stand_for_the_mirrors();
}

TEST_F(MirrorTest, BelowAPathThatNamesTheHubsOwnAddressesIsAskedInTheirPlace) {
  hub_.use_prefix("/some/mirror");
  expect_that_the_hubs_addresses_stand_for_the_mirrors();
}

TEST_F(FetchTest, AListOfSeveralPagesIsReadToItsEnd) {
  Files files = {{"config.json", "{}"}, {"model.safetensors", small_safetensors(10)}};
  for (int i = 0; i < 23; ++i) files["docs/" + std::to_string(i) + ".txt"] = std::to_string(i);
  hub_.add("org/many", files);
  hub_.use_page_size(3);
  hub_.start();
  const Outcome made = fetch({"org/many", "--include", "*", "-o", "here"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(files_in(scratch_.path() / "here"), files);
  std::size_t pages = 0;
  for (const json& request : hub_.requests()) {
    pages += request["path"].get<std::string>().find("/tree/") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(pages, 9U) << "25 files and one directory";
}

}  // namespace
}  // namespace lq::testing
