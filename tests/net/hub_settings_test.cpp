#include "common/net/hub_settings.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

using base::Environment;
using lq::testing::error_of;
using lq::testing::ScratchDirectory;

HubSettings with(const std::string& name, const std::string& value) {
  return hub_settings(Environment{{"HOME", "/home/me"}, {name, value}});
}

std::string own_home() { return ::getpwuid(::getuid())->pw_dir; }

TEST(HubSettings, WithoutVariablesTheyAreThoseOfTheReferenceClient) {
  const HubSettings settings = hub_settings(Environment{{"HOME", "/home/me"}});
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.home, "/home/me/.cache/huggingface");
  EXPECT_EQ(settings.cache, "/home/me/.cache/huggingface/hub");
  EXPECT_EQ(settings.token_file, "/home/me/.cache/huggingface/token");
  EXPECT_FALSE(settings.offline);
  EXPECT_TRUE(settings.symlinks);
  EXPECT_EQ(settings.ca_file, "");
  EXPECT_EQ(settings.ca_dir, "");
  EXPECT_EQ(settings.download_timeout_seconds, 10);
  EXPECT_EQ(settings.api_timeout_seconds, 30);
}

TEST(HubSettings, TheEndpointIsTrimmed) {
  EXPECT_EQ(with("HF_ENDPOINT", "https://mirror.example").endpoint, "https://mirror.example");
  EXPECT_EQ(with("HF_ENDPOINT", " http://localhost:8080/hf// ").endpoint,
            "http://localhost:8080/hf");
  EXPECT_EQ(with("HF_ENDPOINT", " \t").endpoint, "https://huggingface.co");
  EXPECT_EQ(with("HF_ENDPOINT", "/").endpoint, "https://huggingface.co");
}

TEST(HubSettings, AnEndpointOfAnotherKindIsRefused) {
  for (const char* value : {"mirror.example", "ftp://mirror.example", "https://", "mirror:80",
                            "file:///etc/passwd", "https://a b", "https://a/?q", "https://a/#f"}) {
    EXPECT_THROW(with("HF_ENDPOINT", value), base::UsageError) << value;
  }
  const auto error = error_of<base::UsageError>([] { with("HF_ENDPOINT", "mirror\x1B"); });
  EXPECT_STREQ(error.what(), "HF_ENDPOINT 'mirror\\x1B' cannot be used");
  EXPECT_EQ(error.why(),
            "it is no address that begins with http:// or https:// and ends with a path");
  EXPECT_EQ(error.fix(), "set it to a base address such as https://huggingface.co, or unset it");
}

TEST(HubSettings, APasswordInTheEndpointIsRefusedAndNotShown) {
  const auto error =
      error_of<base::UsageError>([] { with("HF_ENDPOINT", "https://me:pass@mirror.example"); });
  EXPECT_STREQ(error.what(), "HF_ENDPOINT cannot be used");
  EXPECT_EQ(error.why(), "it holds a user name or password");
}

TEST(HubSettings, HomeComesFromTheFirstVariableThatIsSet) {
  EXPECT_EQ(with("XDG_CACHE_HOME", "/x").home, "/x/huggingface");
  EXPECT_EQ(with("XDG_CACHE_HOME", "/x").cache, "/x/huggingface/hub");
  const HubSettings settings =
      hub_settings(Environment{{"XDG_CACHE_HOME", "/x"}, {"HF_HOME", "/h"}});
  EXPECT_EQ(settings.home, "/h");
  EXPECT_EQ(settings.token_file, "/h/token");
}

TEST(HubSettings, CacheAndTokenFileHaveVariablesOfTheirOwn) {
  EXPECT_EQ(with("HF_HUB_CACHE", "/c").cache, "/c");
  EXPECT_EQ(with("HUGGINGFACE_HUB_CACHE", "/old").cache, "/old");
  EXPECT_EQ(
      hub_settings(Environment{{"HF_HUB_CACHE", "/c"}, {"HUGGINGFACE_HUB_CACHE", "/old"}}).cache,
      "/c");
  EXPECT_EQ(with("HF_TOKEN_PATH", "/t/token").token_file, "/t/token");
  EXPECT_EQ(with("HF_TOKEN_PATH", "~/t").token_file, "/home/me/t");
}

TEST(HubSettings, ATildeAtTheStartIsTheHomeDirectory) {
  EXPECT_EQ(with("HF_HOME", "~").home, "/home/me");
  EXPECT_EQ(with("HF_HOME", "~/hf").home, "/home/me/hf");
  EXPECT_EQ(with("HF_HOME", "/a/~").home, "/a/~");
  EXPECT_EQ(hub_settings(Environment{{"HOME", "/home/me/"}, {"HF_HOME", "~/hf"}}).home,
            "/home/me/hf");
  EXPECT_EQ(hub_settings(Environment{{"HOME", "/"}, {"HF_HOME", "~/hf"}}).home, "/hf");
  EXPECT_EQ(with("HF_HOME", "~no-such-user/hf").home, "~no-such-user/hf");
}

TEST(HubSettings, WithoutHomeThePasswordFileKnows) {
  EXPECT_EQ(hub_settings(Environment{}).home, own_home() + "/.cache/huggingface");
  const std::string user = ::getpwuid(::getuid())->pw_name;
  EXPECT_EQ(with("HF_HOME", "~" + user + "/hf").home, own_home() + "/hf");
}

TEST(HubSettings, VariablesInPathsAreExpandedOnce) {
  const auto home = [](const std::string& value) {
    return hub_settings(Environment{{"HOME", "/home/me"},
                                    {"HF_HOME", value},
                                    {"SCRATCH", "/s"},
                                    {"NESTED", "$SCRATCH"}})
        .home.string();
  };
  EXPECT_EQ(home("$SCRATCH/hf"), "/s/hf");
  EXPECT_EQ(home("${SCRATCH}x/$SCRATCH"), "/sx//s");
  EXPECT_EQ(home("$NESTED/hf"), "$SCRATCH/hf");
  EXPECT_EQ(home("/a/$UNSET/${UNSET}"), "/a/$UNSET/${UNSET}");
  EXPECT_EQ(home("/a$/${SCRATCH"), "/a$/${SCRATCH");
  EXPECT_EQ(home("/a${}$"), "/a${}$");
  EXPECT_EQ(home("~/$SCRATCH"), "/home/me//s");
}

TEST(HubSettings, TheFirstThatIsSetDecidesAboutOffline) {
  EXPECT_TRUE(with("HF_HUB_OFFLINE", "1").offline);
  EXPECT_TRUE(with("TRANSFORMERS_OFFLINE", "yes").offline);
  const auto both = [](const std::string& hub, const std::string& transformers) {
    return hub_settings(
               Environment{{"HF_HUB_OFFLINE", hub}, {"TRANSFORMERS_OFFLINE", transformers}})
        .offline;
  };
  EXPECT_FALSE(both("0", "1"));
  EXPECT_TRUE(both("", "1"));
}

TEST(HubSettings, LinksCanBeTurnedOff) {
  EXPECT_FALSE(with("HF_HUB_DISABLE_SYMLINKS", "true").symlinks);
  EXPECT_TRUE(with("HF_HUB_DISABLE_SYMLINKS", "0").symlinks);
}

TEST(HubSettings, TimeoutsAreRaisedAndNeverLowered) {
  EXPECT_EQ(with("HF_HUB_DOWNLOAD_TIMEOUT", "60").download_timeout_seconds, 60);
  EXPECT_EQ(with("HF_HUB_DOWNLOAD_TIMEOUT", " 12.5 ").download_timeout_seconds, 12.5);
  EXPECT_EQ(with("HF_HUB_ETAG_TIMEOUT", "60").api_timeout_seconds, 60);
  EXPECT_EQ(with("HF_HUB_ETAG_TIMEOUT", "20").api_timeout_seconds, 30);
  for (const char* value : {"1", "-5", "x", "20s", "inf", "nan", "1e999", " "}) {
    EXPECT_EQ(with("HF_HUB_DOWNLOAD_TIMEOUT", value).download_timeout_seconds, 10) << value;
  }
  EXPECT_EQ(with("HF_HUB_DOWNLOAD_TIMEOUT", "1e300").download_timeout_seconds, 7 * 24 * 3600);
}

TEST(HubSettings, TheFirstCertificateVariableDecidesAlone) {
  const HubSettings file = hub_settings(
      Environment{{"SSL_CERT_FILE", "/f"}, {"SSL_CERT_DIR", "/d"}, {"CURL_CA_BUNDLE", "/c"}});
  EXPECT_EQ(file.ca_file, "/f");
  EXPECT_EQ(file.ca_dir, "");
  const HubSettings directory =
      hub_settings(Environment{{"SSL_CERT_DIR", "/d"}, {"REQUESTS_CA_BUNDLE", "/r"}});
  EXPECT_EQ(directory.ca_file, "");
  EXPECT_EQ(directory.ca_dir, "/d");
  EXPECT_EQ(
      hub_settings(Environment{{"REQUESTS_CA_BUNDLE", "/r"}, {"CURL_CA_BUNDLE", "/c"}}).ca_file,
      "/r");
  EXPECT_EQ(with("CURL_CA_BUNDLE", "/c").ca_file, "/c");
}

TEST(HubSettings, ABundleThatIsADirectoryIsOne) {
  const ScratchDirectory scratch;
  for (const char* variable : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}) {
    const HubSettings settings = with(variable, scratch.path());
    EXPECT_EQ(settings.ca_dir, scratch.path());
    EXPECT_EQ(settings.ca_file, "");
  }
}

TEST(IsTrue, FourWordsInAnyCase) {
  for (const char* value : {"1", "ON", "on", "Yes", "YES", "true", "TRUE"}) {
    EXPECT_TRUE(is_true(value)) << value;
  }
  for (const char* value : {"", "0", "2", "y", "t", " 1", "off", "no", "false"}) {
    EXPECT_FALSE(is_true(value)) << value;
  }
}

}  // namespace
}  // namespace lq::net
