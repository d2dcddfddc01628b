// Options that do not go together, and what is said of them.

#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

struct Refusal {
  std::string name;
  std::vector<std::string> options;
  std::string what, why, fix;
};

const std::vector<Refusal> kRefusals = {
    {"AShard",
     {"--shard", "1/2"},
     "cannot fetch a part of the work",
     "--shard is for tools that compute",
     "leave --shard out; --jobs N sets the number of connections"},
    {"ListAndVerify",
     {"--list", "--verify"},
     "cannot use --list with --verify",
     "one reads the Hub's list, the other what is here",
     "use one of them"},
    {"ALinkFromTheCacheToItself",
     {"--link"},
     "cannot use --link without -o",
     "the shared cache holds the files themselves",
     "add -o DIR, or leave --link out"},
    {"SmallSegments",
     {"--segment", "63K"},
     "cannot fetch in such small segments",
     "--segment is below 64K, and each is a request",
     "use 1M or more; the default is 64M"}};

class RefusalTest : public FetchTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, SaysWhatWhyAndWhatElse) {
  const Refusal& refusal = GetParam();
  std::vector<std::string> arguments = {"org/model"};
  arguments.insert(arguments.end(), refusal.options.begin(), refusal.options.end());
  const Outcome outcome = fetch(arguments, {{"HF_ENDPOINT", "http://127.0.0.1:1"}});
  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  for (const std::string& text : {refusal.what, refusal.why, refusal.fix}) {
    EXPECT_NE(outcome.err.find(text), std::string::npos) << text << "\n" << outcome.err;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RefusalTest, ::testing::ValuesIn(kRefusals),
                         [](const auto& param) { return param.param.name; });

TEST_F(FetchTest, TheHelpNamesTheDefaultsOfADownload) {
  const Outcome help = fetch({"--help"});
  EXPECT_EQ(help.exit_code, 0) << help.err;
  EXPECT_NE(help.out.find("connections at once (default 4)"), std::string::npos) << help.out;
  EXPECT_NE(help.out.find("(default 64M)"), std::string::npos) << help.out;
}

TEST_F(FetchTest, WarnsThatTokensOfAnIdentityProviderAreNotAskedFor) {
  hub_.add_model("org/model", 1, 1000);
  hub_.start();
  const Outcome open = fetch({"org/model", "--list"}, {{"HF_OIDC_RESOURCE", "org/model"}});
  EXPECT_EQ(open.exit_code, 0) << open.err;
  EXPECT_NE(open.err.find("HF_OIDC_RESOURCE is not supported"), std::string::npos) << open.err;
  EXPECT_NE(open.err.find("the run goes on without a token"), std::string::npos) << open.err;
  const Outcome with_token =
      fetch({"org/model", "--list"}, {{"HF_OIDC_RESOURCE", "org/model"}, {"HF_TOKEN", "hf_valid"}});
  EXPECT_EQ(with_token.err.find("HF_OIDC_RESOURCE"), std::string::npos) << with_token.err;
}

}  // namespace
}  // namespace lq::testing
