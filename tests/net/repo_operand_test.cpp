#include "common/net/repo_operand.h"

#include <gtest/gtest.h>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

using lq::testing::error_of;

const std::string kHub = "https://huggingface.co";

RepoOperand parse(std::string_view text, const std::string& endpoint = kHub) {
  return parse_repo_operand(text, endpoint);
}

RepoOperand at(const std::string& revision) { return {"org/name", revision, true}; }

const RepoOperand kPlain = {"org/name", "main", false};

base::UsageError error(std::string_view text, const std::string& endpoint = kHub) {
  return error_of<base::UsageError>([&] { parse(text, endpoint); });
}

std::string why(std::string_view text) { return error(text).why(); }

TEST(RepoOperand, ANameOfOneOrTwoParts) {
  EXPECT_EQ(parse("org/name"), kPlain);
  EXPECT_EQ(parse("gpt2"), (RepoOperand{"gpt2", "main", false}));
}

TEST(RepoOperand, TheRevisionBeginsAfterTheFirstAt) {
  EXPECT_EQ(parse("org/name@v1.0"), at("v1.0"));
  EXPECT_EQ(parse("org/name@main"), at("main"));
  EXPECT_EQ(parse("org/name@refs/pr/3"), at("refs/pr/3"));
  EXPECT_EQ(parse("org/name@feature/a@b"), at("feature/a@b"));
  EXPECT_EQ(parse("gpt2@v1"), (RepoOperand{"gpt2", "v1", true}));
  // Not decoded: nothing encodes it here.
  EXPECT_EQ(parse("org/name@a%2Fb"), at("a%2Fb"));
}

TEST(RepoOperand, AHubUri) {
  EXPECT_EQ(parse("hf://org/name"), kPlain);
  EXPECT_EQ(parse("hf://org/name/"), kPlain);
  EXPECT_EQ(parse("HF://models/org/name"), kPlain);
  EXPECT_EQ(parse("hf://org/name@v1"), at("v1"));
  EXPECT_EQ(parse("hf://org/name@v1/"), at("v1"));
  EXPECT_EQ(parse("hf://org/name@refs/pr/3"), at("refs/pr/3"));
  EXPECT_EQ(parse("hf://org/name@refs/pr/3/"), at("refs/pr/3"));
  EXPECT_EQ(parse("hf://org/name@feature%2Fa"), at("feature/a"));
}

TEST(RepoOperand, APathInAHubUriIsRefused) {
  for (const char* text :
       {"hf://org/name/config.json", "hf://org/name@v1/config.json", "hf://org/name/a@b",
        "hf://org/name@refs/pr/3/x", "hf://models/org/name/a/b"}) {
    EXPECT_EQ(why(text), "it names a file or folder in the repository") << text;
    EXPECT_EQ(error(text).fix(), "give 'org/name' and choose the files with --include PATTERN")
        << text;
  }
}

TEST(RepoOperand, AHubUriHasTwoParts) {
  EXPECT_EQ(why("hf://gpt2"), "hf:// wants two parts, NAMESPACE/NAME");
  EXPECT_EQ(why("hf://"), "hf:// wants two parts, NAMESPACE/NAME");
  EXPECT_EQ(why("hf:///name"), "the name '/name' has an empty part");
}

TEST(RepoOperand, AWebAddress) {
  EXPECT_EQ(parse("https://huggingface.co/org/name"), kPlain);
  EXPECT_EQ(parse("https://huggingface.co/org/name/"), kPlain);
  EXPECT_EQ(parse("HTTPS://HuggingFace.co/org/name?library=x#top"), kPlain);
  EXPECT_EQ(parse("https://huggingface.co/org/name/tree"), kPlain);
  EXPECT_EQ(parse("https://huggingface.co/org/name/tree/v1"), at("v1"));
  EXPECT_EQ(parse("https://huggingface.co/org/name/tree/refs%2Fpr%2F3"), at("refs/pr/3"));
  EXPECT_EQ(parse("https://huggingface.co/org/name/tree/refs/pr/3/"), at("refs/pr/3"));
  EXPECT_EQ(parse("https://huggingface.co/org/name/tree/50%"), at("50%"));
  EXPECT_EQ(parse("https://huggingface.co/org/name/tree/a%zz%4"), at("a%zz%4"));
}

TEST(RepoOperand, AWebAddressBelowAnEndpointWithAPath) {
  EXPECT_EQ(parse("http://Mirror:8080/hf/org/name", "http://mirror:8080/hf"), kPlain);
  EXPECT_EQ(error("http://mirror:8080/hfx/org/name", "http://mirror:8080/hf").why(),
            "it is no address below http://mirror:8080/hf");
  EXPECT_EQ(error("http://mirror:8080/HF/org/name", "http://mirror:8080/hf").why(),
            "it is no address below http://mirror:8080/hf");
}

TEST(RepoOperand, AnotherPlaceIsRefused) {
  for (const char* text :
       {"https://example.org/org/name", "http://huggingface.co/org/name",
        "https://huggingface.co.example.org/org/name", "https://huggingface.com", "https://"}) {
    EXPECT_EQ(why(text), "it is no address below https://huggingface.co") << text;
  }
  const auto other = error("https://example.org/org/name");
  EXPECT_STREQ(other.what(), "'https://example.org/org/name' names no model repository");
  EXPECT_EQ(other.fix(),
            "write NAMESPACE/NAME, NAMESPACE/NAME@REVISION, or the repository's address below "
            "https://huggingface.co");
}

TEST(RepoOperand, SecretsOfAnAddressAreNotShown) {
  EXPECT_STREQ(error("https://me:hf_secret@huggingface.co/a/b?token=hf_secret").what(),
               "'https://huggingface.co/a/b' names no model repository");
  EXPECT_STREQ(error("http:/x?a://b").what(), "'http:/x' names no model repository");
}

TEST(RepoOperand, TheAddressOfAFileIsRefused) {
  for (const char* page : {"blob", "resolve", "raw", "blame"}) {
    const std::string text =
        "https://huggingface.co/org/name/" + std::string(page) + "/main/config.json";
    EXPECT_EQ(why(text), "it names a file or folder in the repository");
    EXPECT_EQ(error(text).fix(), "give 'org/name' and choose the files with --include PATTERN");
  }
}

TEST(RepoOperand, OtherPagesAreRefused) {
  const auto page = error("https://huggingface.co/org/name/discussions/1");
  EXPECT_EQ(page.why(), "it is the page 'discussions' of the repository");
  EXPECT_EQ(page.fix(), "give 'org/name'");
  EXPECT_EQ(why("https://huggingface.co/org"), "the address of a repository has two parts");
  EXPECT_EQ(why("https://huggingface.co/"), "the address of a repository has two parts");
}

TEST(RepoOperand, OnlyModels) {
  for (const char* text :
       {"https://huggingface.co/datasets/org/name", "hf://datasets/org/name", "datasets/name",
        "datasets/org/name", "https://huggingface.co/datasets/name", "hf://datasets"}) {
    EXPECT_EQ(why(text), "it lies below datasets/, and only model repositories can be fetched")
        << text;
  }
  EXPECT_EQ(why("https://huggingface.co/spaces/org/name"),
            "it lies below spaces/, and only model repositories can be fetched");
}

TEST(RepoOperand, SaysWhatIsWrongWithAName) {
  EXPECT_EQ(why(""), "the name '' is empty");
  EXPECT_EQ(why("@main"), "the name '' is empty");
  EXPECT_EQ(why("a/b/c"), "the name 'a/b/c' has more than one slash");
  EXPECT_EQ(why("/a"), "the name '/a' has an empty part");
  EXPECT_EQ(why("a/"), "the name 'a/' has an empty part");
  EXPECT_EQ(why("a b"), "the name 'a b' has a character other than A-Z a-z 0-9 - _ .");
  EXPECT_EQ(why("a/b\n"), "the name 'a/b\\x0A' has a character other than A-Z a-z 0-9 - _ .");
  EXPECT_EQ(why("./model"), "the name './model' has a part that starts or ends with - or .");
  EXPECT_EQ(why("a--b"), "the name 'a--b' has `--` in it");
  EXPECT_EQ(why("a/b..c"), "the name 'a/b..c' has `..` in it");
  EXPECT_EQ(why("a/b.git"), "the name 'a/b.git' ends in .git");
  const std::string part(97, 'a');
  EXPECT_EQ(why(part), "the name '" + part + "' has a part of more than 96 characters");
  EXPECT_STREQ(error("a\x1B").what(), "'a\\x1B' names no model repository");
}

TEST(RepoOperand, ARevisionObeysTheRulesOfPaths) {
  const auto empty = error("org/name@");
  EXPECT_EQ(empty.why(), "the revision '' is empty");
  EXPECT_EQ(empty.fix(), "give a branch, a tag, a commit, or refs/pr/N for a pull request");
  EXPECT_EQ(why("org/name@../x"), "the revision '../x' has the segment `..`");
  EXPECT_EQ(why("org/name@/x"), "the revision '/x' is absolute");
  EXPECT_EQ(why("hf://org/name@"), "the revision '' is empty");
  EXPECT_EQ(why("hf://org/name@%2E%2E%2Fx"), "the revision '../x' has the segment `..`");
  EXPECT_EQ(why("https://huggingface.co/org/name/tree/a%00b"),
            "the revision 'a\\x00b' has control characters or invalid UTF-8");
}

TEST(RepoId, TheRulesOfTheHub) {
  const std::string longest(96, 'a');
  for (const std::string& id :
       {std::string("gpt2"), std::string("a/b"), std::string("A-b_c.d/E"), std::string("_a/b_"),
        longest + "/" + longest, std::string("a.git/b"), std::string("a/git")}) {
    EXPECT_TRUE(is_repo_id(id)) << id;
  }
  for (const std::string& id :
       {std::string(), std::string("/"), std::string("a/b/c"), std::string("-a"),
        std::string("a-/b"), std::string("a/.b"), std::string("a/b."), std::string("a/b--c"),
        std::string("a..b"), std::string("b.git"), std::string("a@b"), std::string("ä/b"),
        std::string("a\0b", 3), longest + "a", "a/" + longest + "a", longest + "a/a"}) {
    EXPECT_FALSE(is_repo_id(id)) << id;
  }
}

TEST(CacheFolder, HasTwoDashesForTheSlash) {
  EXPECT_EQ(cache_folder("org/name"), "models--org--name");
  EXPECT_EQ(cache_folder("gpt2"), "models--gpt2");
}

TEST(IsCommit, FortyLowerCaseHexDigits) {
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789abcdef0123456789abcdef0123456"));
  EXPECT_FALSE(is_commit("0123456789abcdef0123456789abcdef012345678"));
  EXPECT_FALSE(is_commit("0123456789ABCDEF0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789abcdef0123456789abcdef0123456g"));
  EXPECT_FALSE(is_commit("main"));
}

}  // namespace
}  // namespace lq::net
