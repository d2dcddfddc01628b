#include "common/net/url.h"

#include <gtest/gtest.h>

namespace lq::net {
namespace {

TEST(Url, TakesHttpAndHttpsOnly) {
  for (const char* text :
       {"ftp://host/", "file:///etc/passwd", "host/path", "", "http://", "http://user:secret@host/",
        "http://user@host/", "http://a b/", "http://host/\x01", "javascript:alert(1)"}) {
    EXPECT_FALSE(Url::parse(text)) << text;
  }
  const auto url = Url::parse("HTTPS://Example.COM/a/b?c=d#e");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin(), (Origin{"https", "example.com", "443"}));
  EXPECT_TRUE(url->is_https());
}

TEST(Url, ShowsNoQuery) {
  EXPECT_EQ(Url::parse("https://host/a?sig=secret")->shown(), "https://host/a");
}

TEST(Url, ResolvesALocation) {
  const Url url = *Url::parse("https://host:8443/a/b?x=1");
  EXPECT_EQ(url.resolve("/c?y=2")->text(), "https://host:8443/c?y=2");
  EXPECT_EQ(url.resolve("c")->text(), "https://host:8443/a/c");
  EXPECT_EQ(url.resolve("//other/c")->origin(), (Origin{"https", "other", "443"}));
  EXPECT_EQ(url.resolve("http://other/")->origin().scheme, "http");
  EXPECT_FALSE(url.resolve(""));
  EXPECT_FALSE(url.resolve("ftp://other/"));
  EXPECT_FALSE(url.resolve("https://me:pw@other/"));
}

TEST(Url, TellsOriginsApartByPortAndScheme) {
  const Origin origin = Url::parse("http://host/")->origin();
  EXPECT_EQ(origin, Url::parse("http://host:80/x")->origin());
  EXPECT_FALSE(origin == Url::parse("http://host:81/")->origin());
  EXPECT_FALSE(origin == Url::parse("https://host:80/")->origin());
}

TEST(Url, MovesBelowAnotherAddress) {
  const Url url = *Url::parse("https://huggingface.co/api/x%20y?cursor=1");
  const Url moved = url.moved_below(*Url::parse("http://127.0.0.1:8080"));
  EXPECT_EQ(moved.text(), "http://127.0.0.1:8080/api/x%20y?cursor=1");
  EXPECT_EQ(moved.origin(), (Origin{"http", "127.0.0.1", "8080"}));
  EXPECT_EQ(url.moved_below(*Url::parse("https://mirror/hf/")).text(),
            "https://mirror/hf/api/x%20y?cursor=1");
}

TEST(PercentEncode, LeavesPlainCharactersAndSlashesOfPaths) {
  EXPECT_EQ(percent_encode("refs/pr/3"), "refs%2Fpr%2F3");
  EXPECT_EQ(percent_encode("a-b_c.d~e"), "a-b_c.d~e");
  EXPECT_EQ(percent_encode("\xC3\xA4 %"), "%C3%A4%20%25");
  EXPECT_EQ(percent_encode_path("a b/c#d"), "a%20b/c%23d");
  EXPECT_EQ(percent_encode_path(""), "");
}

}  // namespace
}  // namespace lq::net
