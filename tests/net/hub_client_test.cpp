#include "common/net/hub_client.h"

#include "common/base/errors.h"
#include "tests/net/hub_test.h"

namespace lq::net {
namespace {

using nlohmann::json;
using testing::error_of;
using testing::kCommit;
using testing::kOtherCommit;

constexpr const char* kId = "org/model";
constexpr std::uint64_t kAnySize = std::uint64_t{1} << 30;

class HubClientTest : public HubTest {
 protected:
  void SetUp() override {
    model_ =
        hub_.add_model(kId, 1, 300'000,
                       {{"commits", {{kCommit, "files"}, {kOtherCommit, "files"}}},
                        {"refs", {{"main", kCommit}, {"v1.0", kOtherCommit}, {"a\x1b", kCommit}}},
                        {"tags", {"v1.0"}}});
    hub_.add("org/empty", {{"empty", ""}});
    hub_.add_model("org/gated", 1, 1000, {{"gated", "auto"}, {"tokens", {"hf_good"}}});
    hub_.use_page_size(2);
    start();
  }
  void fault(json rule) {
    rule["on"] = rule.value("on", "hub");
    hub_.faults(json::array({rule}));
  }

  std::map<std::string, std::string> model_;
};

TEST_F(HubClientTest, FindsTheCommitOfARevision) {
  HubClient client(access_);
  EXPECT_EQ(client.commit_of(kId, "main"), kCommit);
  EXPECT_EQ(client.commit_of(kId, "v1.0"), kOtherCommit);
  EXPECT_EQ(client.commit_of(kId, kOtherCommit), kOtherCommit);
}

TEST_F(HubClientTest, AnUnknownRevisionIsAnsweredWithThoseThatThereAre) {
  HubClient client(access_);
  const auto error = error_of<base::ModelNotFoundError>([&] { client.commit_of(kId, "v9"); });
  EXPECT_NE(error.why().find("org/model has no revision v9"), std::string::npos) << error.why();
  EXPECT_NE(error.fix().find("; there is: "), std::string::npos) << error.fix();
  for (const char* const name : {"main", "v1.0", "a\\x1B"}) {
    EXPECT_NE(error.fix().find(name), std::string::npos) << error.fix();
  }
  for (const json& answer :
       {json{{"status", 500}}, json{{"body", "<html>"}}, json{{"body", "[1]"}},
        json{{"body", R"({"branches":[7],"tags":{}})"}}, json{{"drop_after", -1}}}) {
    json rule = answer;
    rule["path"] = "/refs$";
    fault(rule);
    const auto bare = error_of<base::ModelNotFoundError>([&] { client.commit_of(kId, "v9"); });
    EXPECT_EQ(bare.fix().find("there is"), std::string::npos) << rule << bare.fix();
  }
  json many = json::array();
  for (int i = 0; i < 20; ++i) many.push_back({{"name", "branch-" + std::to_string(i)}});
  fault({{"path", "/refs$"}, {"set", {{"branches", many}}}});
  const auto cut = error_of<base::ModelNotFoundError>([&] { client.commit_of(kId, "v9"); });
  EXPECT_NE(cut.fix().find("branch-7"), std::string::npos) << cut.fix();
  EXPECT_EQ(cut.fix().find("branch-8"), std::string::npos) << cut.fix();
}

TEST_F(HubClientTest, AnAnswerThatNamesNoCommitIsNoHubs) {
  HubClient client(access_);
  for (const char* const sha : {"", "main", "../../x", "1111"}) {
    fault({{"set", {{"sha", sha}}}});
    const auto error = error_of<base::NetworkError>([&] { client.commit_of(kId, "main"); });
    EXPECT_NE(error.why().find("does not name a commit"), std::string::npos) << error.why();
  }
  fault({{"body", "<html>"}});
  const auto error = error_of<base::NetworkError>([&] { client.commit_of(kId, "main"); });
  EXPECT_NE(error.why().find("did not answer with JSON"), std::string::npos) << error.why();
}

TEST_F(HubClientTest, ListsAllPages) {
  HubClient client(access_);
  const auto files = client.files(kId, kCommit);
  ASSERT_EQ(files.size(), model_.size() + 1) << "and the pickle, which is never chosen";
  for (const auto& [path, bytes] : model_) {
    const auto found = std::ranges::find(files, path, &RepoFile::path);
    ASSERT_NE(found, files.end()) << path;
    EXPECT_EQ(found->size, bytes.size()) << path;
    EXPECT_EQ(found->in_lfs(), path == "model.safetensors");
  }
  EXPECT_EQ(hub_.requests().size(), 3U);
}

TEST_F(HubClientTest, FollowsNoListThatLeadsAwayOrRound) {
  HubClient client(access_);
  const auto problem = [&](const std::string& link) {
    fault({{"path", "/tree/"}, {"headers", {{"Link", "<" + link + ">; rel=\"next\""}}}});
    return error_of<base::NetworkError>([&] { client.files(kId, kCommit); }).why();
  };
  EXPECT_EQ(problem("{self}"), "the list of files comes back to where it was");
  EXPECT_EQ(problem("http://127.0.0.1:1/x?cursor=1"),
            "the next page of the list is on another host: http://127.0.0.1:1/x");
  EXPECT_EQ(problem("http://me:S3CRET@127.0.0.1/x?cursor=1"),
            "the address of the next page is not used: http://127.0.0.1/x");
  fault({{"path", "/tree/"}, {"headers", {{"Link", "<http://x/>; rel=\"prev\""}}}});
  EXPECT_EQ(client.files(kId, kCommit).size(), 2U) << "another relation is not the next page";
}

TEST_F(HubClientTest, TextIsComparedWithItsHash) {
  HubClient client(access_);
  const RepoFile file = file_of("config.json");
  EXPECT_EQ(client.text(kId, kCommit, file, kAnySize), model_.at("config.json"));
  EXPECT_EQ(waits(), "");
  fault({{"path", "resolve-cache"}, {"times", 1}, {"flip", {3}}});
  EXPECT_EQ(client.text(kId, kCommit, file, kAnySize), model_.at("config.json"));
  EXPECT_EQ(waits(), "its content is wrong\n");
  fault({{"path", "resolve-cache"}, {"times", 2}, {"flip", {3}}});
  const auto error =
      error_of<base::ValidationError>([&] { client.text(kId, kCommit, file, kAnySize); });
  EXPECT_STREQ(error.what(), "cannot read config.json of org/model");
  EXPECT_EQ(error.why(), "its content does not have the hash that the Hub lists");
}

TEST_F(HubClientTest, TextHasALimitAndAnEnd) {
  HubClient client(access_);
  const RepoFile file = file_of("config.json");
  hub_.forget_requests();
  const auto error =
      error_of<base::ValidationError>([&] { client.text(kId, kCommit, file, file.size - 1); });
  EXPECT_NE(error.why().find("which is too long for such a file"), std::string::npos)
      << error.why();
  EXPECT_TRUE(hub_.requests().empty());
  fault({{"path", "resolve-cache"}, {"times", 1}, {"body", "{}"}});
  EXPECT_EQ(client.text(kId, kCommit, file, kAnySize), model_.at("config.json"));
  EXPECT_EQ(waits(), "the answer ended early\n");
  waits_.clear();
  fault({{"path", "resolve-cache"}, {"times", 1}, {"pad", 1}});
  EXPECT_EQ(client.text(kId, kCommit, file, kAnySize), model_.at("config.json"));
  EXPECT_EQ(waits(), "the answer is longer than 22 B\n");
}

TEST_F(HubClientTest, PartIsExactlyTheRange) {
  HubClient client(access_);
  const RepoFile file = file_of("model.safetensors");
  const std::string wanted = model_.at(file.path).substr(1000, 24);
  const auto part = [&] { return client.part(kId, kCommit, file, {1000, 1024}); };
  EXPECT_EQ(part(), wanted);
  fault({{"on", "storage"}, {"ignore_range", true}});
  EXPECT_EQ(part(), wanted) << "cut from the whole";
  EXPECT_EQ(waits(), "");
  fault({{"on", "storage"}, {"times", 1}, {"shift_range", 5}, {"honest", true}});
  EXPECT_EQ(part(), wanted);
  EXPECT_NE(waits().find("it answered with bytes 1005-1028/"), std::string::npos) << waits();
  fault({{"on", "storage"}, {"times", 1}, {"truncate_range", 1}});
  waits_.clear();
  EXPECT_EQ(part(), wanted);
  EXPECT_EQ(waits(), "the answer ended early\n");
  fault({{"on", "storage"}, {"total", 5}});
  const auto error = error_of<base::NetworkError>(part);
  EXPECT_STREQ(error.what(), "cannot read model.safetensors of org/model");
  EXPECT_NE(error.why().find("(tried 4 times)"), std::string::npos) << error.why();
}

TEST_F(HubClientTest, AsksWhetherAccessIsGivenForOneByte) {
  HubClient client(access_);
  const RepoFile file = file_of("model.safetensors");
  hub_.forget_requests();
  client.check_access(kId, kCommit, file);
  EXPECT_EQ(hub_.requests().back()["bytes"], 1);
  fault({{"on", "storage"}, {"ignore_range", true}});
  client.check_access(kId, kCommit, file);
  EXPECT_EQ(waits(), "");
  client.check_access("org/empty", kCommit, client.files("org/empty", kCommit).at(0));
  const RepoFile gated = client.files("org/gated", kCommit).at(0);
  const auto error = error_of<base::AuthenticationError>(
      [&] { client.check_access("org/gated", kCommit, gated); });
  EXPECT_NE(error.why().find("gated"), std::string::npos) << error.why();
  access_.token = Token("hf_good", "a test");
  client.check_access("org/gated", kCommit, gated);
}

TEST_F(HubClientTest, AsksAgainWhereAnAnswerIsCutShort) {
  HubClient client(access_);
  fault({{"path", "/revision/"}, {"times", 1}, {"status", 200}, {"body", R"({"sha": "ab)"}});
  EXPECT_EQ(client.commit_of(kId, "main"), kCommit);
  EXPECT_EQ(waits(), "the answer ended early\n");
}

TEST_F(HubClientTest, AnAnswerOfBracketsInBracketsIsNoHubs) {
  HubClient client(access_);
  for (const char* const bracket : {"[", "{\"a\":"}) {
    std::string body;
    for (int i = 0; i < 100; ++i) body += bracket;
    fault({{"path", "/revision/"}, {"status", 200}, {"body", body}});
    const auto error = error_of<base::NetworkError>([&] { client.commit_of(kId, "main"); });
    EXPECT_EQ(error.why(), "the answer is nested too deeply (tried 4 times)");
  }
}

TEST_F(HubClientTest, PassesOnWarningsAndKeepsToTheQuota) {
  std::vector<std::string> warnings;
  access_.warn = [&](const std::string& topic, const std::string& text) {
    warnings.push_back(topic + "|" + text);
  };
  HubClient client(access_);
  fault({{"warning", "Topic; be careful"}});
  client.commit_of(kId, "main");
  EXPECT_EQ(warnings, std::vector<std::string>{"Topic|Topic; be careful"});
  fault({{"rate_limit", {{"r", 0}, {"q", 500}, {"t", 7200}, {"w", 300}}}});
  client.commit_of(kId, "main");
  hub_.forget_requests();
  const auto error = error_of<base::NetworkError>([&] { client.commit_of(kId, "main"); });
  EXPECT_NE(error.why().find("the server's quota is used up; the server asks to wait "),
            std::string::npos)
      << error.why();
  EXPECT_TRUE(hub_.requests().empty());
}

TEST_F(HubClientTest, StopsWhenItIsAskedTo) {
  HubClient client(access_, [] { return true; });
  EXPECT_THROW(client.commit_of(kId, "main"), Stopped);
}

TEST(Mismatch, IsAnotherCommitContentOrSize) {
  const RepoFile file{"x", 5, std::string(40, 'a'), std::string(64, 'b'), ""};
  const auto problem = [&](long status, std::map<std::string, std::string> headers) {
    return mismatch({status, std::move(headers)}, kCommit, file);
  };
  EXPECT_EQ(problem(302, {}), "");
  EXPECT_EQ(problem(302, {{"x-repo-commit", kCommit},
                          {"x-linked-etag", "W/\"" + file.sha256 + "\""},
                          {"x-linked-size", "5"},
                          {"etag", "\"of the redirect\""}}),
            "");
  EXPECT_EQ(problem(302, {{"x-repo-commit", "\x1b"}}),
            "the answer belongs to commit \\x1B, not to " + std::string(kCommit));
  EXPECT_EQ(problem(302, {{"x-linked-etag", "\"c\""}}),
            "the answer is of content c, not of " + file.sha256);
  EXPECT_EQ(problem(200, {{"etag", "\"c\""}}), "the answer is of content c, not of " + file.sha256);
  EXPECT_EQ(problem(302, {{"x-linked-size", "6"}}), "the answer is of a file of 6 bytes, not of 5");
}

}  // namespace
}  // namespace lq::net
