// Files of which the endpoint tells no hash, and what is said of them.

#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class HashTest : public FetchTest {
 protected:
  /// A model of which the Hub lists no hash for the files whose path the expression is found in.
  void start_without_hashes(const std::string& entry) {
    hub_.add_model("org/model", 1, 1000);
    hub_.faults(
        {{{"on", "hub"}, {"path", "/tree/"}, {"entry", entry}, {"set", {{"oid", nullptr}}}}});
    hub_.start();
  }
};

TEST_F(HashTest, WhatTheHubHashesIsVerifiedAgainstItsList) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  const Outcome right = fetch({"org/model", "-o", "here", "--verify"});
  EXPECT_EQ(right.exit_code, 0) << right.err;
  EXPECT_NE(right.err.find("4 files, "), std::string::npos) << right.err;
  EXPECT_NE(right.err.find("all as the Hub lists them"), std::string::npos) << right.err;
}

TEST_F(HashTest, WhatTheHubDoesNotHashIsVerifiedAgainstTheManifest) {
  start_without_hashes("json$");
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  const Outcome right = fetch({"org/model", "-o", "here", "--verify"});
  EXPECT_EQ(right.exit_code, 0) << right.err;
  EXPECT_NE(right.err.find(": 2 as the Hub lists them, 2 as they came"), std::string::npos)
      << right.err;
  EXPECT_EQ(right.err.find("all as the Hub lists them"), std::string::npos) << right.err;
  std::string bytes = read_file(scratch_.path() / "here/config.json");
  bytes[0] = '[';
  scratch_.write("here/config.json", bytes);
  const Outcome wrong = fetch({"org/model", "-o", "here", "--verify"});
  EXPECT_EQ(wrong.exit_code, 6) << wrong.err;
  EXPECT_NE(wrong.err.find("config.json does not have the content that came"), std::string::npos)
      << wrong.err;
}

TEST_F(HashTest, WhatNobodyHashesIsCounted) {
  start_without_hashes("json$");
  ASSERT_EQ(fetch({"org/model", "-o", "here"}).exit_code, 0);
  fs::remove(scratch_.path() / "here/lq-manifest.json");
  const Outcome unknown = fetch({"org/model", "-o", "here", "--verify", "--json"});
  EXPECT_EQ(unknown.exit_code, 0) << unknown.err;
  EXPECT_NE(unknown.err.find(": 2 as the Hub lists them, 2 files have no known hash"),
            std::string::npos)
      << unknown.err;
  EXPECT_EQ(json::parse(unknown.out)["without_hash"], 2);
}

TEST_F(HashTest, AHashCanBeRequired) {
  start_without_hashes("config.json");
  const Outcome refused = fetch({"org/model", "-o", "here", "--require-hash"});
  EXPECT_EQ(refused.exit_code, 6) << refused.err;
  EXPECT_NE(refused.err.find("cannot check config.json of org/model"), std::string::npos)
      << refused.err;
  EXPECT_NE(refused.err.find("why: the endpoint tells no hash of it"), std::string::npos)
      << refused.err;
  EXPECT_NE(refused.err.find("leave --require-hash out"), std::string::npos) << refused.err;
  EXPECT_FALSE(fs::exists(scratch_.path() / "here"));
  const Outcome hashed =
      fetch({"org/model", "-o", "here", "--require-hash", "--include", "*.safetensors"});
  EXPECT_EQ(hashed.exit_code, 0) << hashed.err;
}

}  // namespace
}  // namespace lq::testing
