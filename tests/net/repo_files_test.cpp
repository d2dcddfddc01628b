#include "common/net/repo_files.h"

#include <gtest/gtest.h>
#include <limits>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace lq::net {
namespace {

using lq::testing::error_of;
using nlohmann::json;

const std::string kSha1(40, 'a');
const std::string kSha256(64, 'b');
const std::string kXet(64, 'c');
constexpr std::uint64_t kMaxBytes = std::numeric_limits<std::int64_t>::max();

json page_with(const std::string& key, const std::string& value) {
  json page = json::parse(R"([{"type":"file","path":"x","size":1}])");
  page[0][key] = json::parse(value);
  return page;
}

std::string page_problem(const json& page) {
  return error_of<base::NetworkError>([&] { files_of_tree_page(page); }).why();
}

TEST(TreePage, KnowsSmallAndLargeFiles) {
  const json page = json::parse(R"([
    {"type":"file","path":"config.json","size":7,"oid":")" +
                                kSha1 + R"("},
    {"type":"file","path":"a/model.safetensors","size":900,"oid":")" +
                                kSha1 + R"(","lfs":{"oid":")" + kSha256 +
                                R"(","size":900,"pointerSize":134},"xetHash":")" + kXet + R"("}])");
  const auto files = files_of_tree_page(page);
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0], (RepoFile{"config.json", 7, kSha1, "", ""}));
  EXPECT_FALSE(files[0].in_lfs());
  EXPECT_EQ(files[0].etag(), kSha1);
  EXPECT_EQ(files[1], (RepoFile{"a/model.safetensors", 900, kSha1, kSha256, kXet}));
  EXPECT_TRUE(files[1].in_lfs());
  EXPECT_EQ(files[1].etag(), kSha256);
}

TEST(TreePage, LeavesOutDirectoriesAndIgnoresUnknownKeys) {
  const json page = json::parse(R"([{"type":"directory","path":"a","size":0,"oid":"x"},
    {"type":"submodule"},{"type":"file","path":"x","size":0,"news":[1]}])");
  const auto files = files_of_tree_page(page);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].path, "x");
  EXPECT_TRUE(files_of_tree_page(json::array()).empty());
}

TEST(TreePage, HashesMayBeMissingOrNull) {
  const json page =
      json::parse(R"([{"type":"file","path":"x","size":5,"oid":null,"lfs":null,"xetHash":null}])");
  EXPECT_EQ(files_of_tree_page(page)[0], (RepoFile{"x", 5, "", "", ""}));
  EXPECT_EQ(files_of_tree_page(page)[0].etag(), "");
}

TEST(TreePage, AnAnswerOfAnotherKindIsANetworkError) {
  EXPECT_EQ(page_problem(json::parse(R"({"error":"x"})")), "its answer is no list");
  EXPECT_EQ(page_problem(json::parse("[1]")), "entry 1 is no object");
  EXPECT_EQ(page_problem(json::parse(R"([{"path":"x"}])")), "entry 1 has no `type`");
  EXPECT_EQ(page_problem(json::parse(R"([{"type":"directory"},{"type":"file","size":1}])")),
            "entry 2 has no `path`");
  EXPECT_EQ(page_problem(page_with("path", "[]")), "entry 1 has no `path`");
  EXPECT_EQ(page_problem(page_with("oid", "7")), "`x` has no `oid`");
  EXPECT_EQ(page_problem(page_with("lfs", "7")), "`lfs` of `x` is no object");
  EXPECT_EQ(page_problem(page_with("lfs", "{}")), "`lfs` of `x` has no `oid`");
  EXPECT_EQ(page_problem(page_with("lfs", R"({"oid":")" + kSha256 + R"(","size":2})")),
            "`x` has two sizes");
  const auto error = error_of<base::NetworkError>([] { files_of_tree_page(json()); });
  EXPECT_STREQ(error.what(), "cannot read the Hub's list of files");
  EXPECT_EQ(error.fix(), "try again later; if HF_ENDPOINT names a mirror, try without it");
}

TEST(TreePage, ASizeIsAWholeNumberOf63Bits) {
  for (const char* size : {"-1", "1.5", "1.0", "1e3", "\"7\"", "null", "9223372036854775808",
                           "18446744073709551615", "18446744073709551616", "true"}) {
    EXPECT_EQ(page_problem(page_with("size", size)),
              "the size of `x` is no whole number from 0 to 2^63 - 1")
        << size;
  }
  EXPECT_EQ(files_of_tree_page(page_with("size", "9223372036854775807"))[0].size, kMaxBytes);
  // As a program would build it: a signed number.
  const json built = json::array({{{"type", "file"}, {"path", "x"}, {"size", 5}}});
  EXPECT_EQ(files_of_tree_page(built)[0].size, 5U);
}

TEST(TreePage, AHashThatIsNoneIsRefused) {
  const std::string upper(40, 'A'), short_one(39, 'a'), path = "../../etc/passwd";
  for (const std::string& hash : {upper, short_one, path, std::string()}) {
    const auto error = error_of<base::ValidationError>(
        [&] { files_of_tree_page(page_with("oid", json(hash).dump())); });
    EXPECT_STREQ(error.what(), "the hash of `x` cannot be used");
    EXPECT_EQ(error.why(), "`oid` of it is not 40 lower-case hex digits");
    EXPECT_EQ(error.fix(), "the endpoint is broken or hostile: check HF_ENDPOINT");
  }
  EXPECT_THROW(files_of_tree_page(page_with("lfs", R"({"oid":"b"})")), base::ValidationError);
  EXPECT_THROW(files_of_tree_page(page_with("xetHash", R"("c")")), base::ValidationError);
}

TEST(TreePage, NamesAreShownEscaped) {
  json page = page_with("size", "-1");
  page[0]["path"] = "a\x1B[2J";
  EXPECT_EQ(page_problem(page), "the size of `a\\x1B[2J` is no whole number from 0 to 2^63 - 1");
}

RepoFile sized(const std::string& path, std::uint64_t size) { return {path, size, "", "", ""}; }

std::vector<RepoFile> named(const std::vector<std::string>& paths) {
  std::vector<RepoFile> files;
  for (const std::string& path : paths) files.push_back(sized(path, 0));
  return files;
}

base::ValidationError path_error(const std::vector<std::string>& paths) {
  return error_of<base::ValidationError>([&] { require_safe_paths(named(paths), "o/n\n"); });
}

TEST(SafePaths, OrdinaryOnesPass) {
  EXPECT_NO_THROW(require_safe_paths(named({"b/c", "a", "b/d/e", "b-c", "b.c", "bc"}), "o/n"));
  EXPECT_NO_THROW(require_safe_paths({}, "o/n"));
}

TEST(SafePaths, AWayOutIsRefusedAndQuoted) {
  const auto error = path_error({"ok", "../\x1B", "/x"});
  EXPECT_STREQ(error.what(), "o/n\\x0A has a file that cannot be stored: \"../\\x1B\"");
  EXPECT_EQ(error.why(), "the path has control characters or invalid UTF-8");
  EXPECT_EQ(error.fix(), "tell the owner of the repository; nothing of it was fetched");
  EXPECT_EQ(path_error({"a/../b"}).why(), "the path has the segment `..`");
  EXPECT_EQ(path_error({""}).why(), "the path is empty");
  EXPECT_EQ(path_error({".cache/x"}).why(), "the path lies below `.cache`");
}

TEST(SafePaths, AFileThatIsADirectoryTooIsRefused) {
  // What sorts between the two by bytes must not hide the one from the other.
  const auto error = path_error({"a/b/c", "a/b-x", "a/b.x", "a/b", "a/b!"});
  EXPECT_STREQ(error.what(), "o/n\\x0A has a file that cannot be stored: \"a/b\"");
  EXPECT_EQ(error.why(), "the path is also the directory of \"a/b/c\"");
}

TEST(SafePaths, APathListedTwiceIsRefused) {
  EXPECT_EQ(path_error({"b", "a", "b"}).why(), "the path is listed twice");
}

TEST(TotalSize, IsTheSum) {
  EXPECT_EQ(total_size({}), 0U);
  EXPECT_EQ(total_size({sized("a", 3), sized("b", 4)}), 7U);
  EXPECT_EQ(total_size({sized("a", kMaxBytes)}), kMaxBytes);
}

TEST(TotalSize, BeyondTheLimitIsRefused) {
  const std::vector<RepoFile> just_above = {sized("a", kMaxBytes), sized("b", 1)};
  const auto error = error_of<base::ValidationError>([&] { total_size(just_above); });
  EXPECT_STREQ(error.what(), "the sizes of the files cannot be right");
  EXPECT_EQ(error.why(), "their sum is beyond 2^63 - 1 bytes");
  EXPECT_EQ(error.fix(), "the endpoint is broken or hostile: check HF_ENDPOINT");
  // A sum that wraps to a small number.
  const std::vector<RepoFile> wrapping(4, sized("a", kMaxBytes));
  EXPECT_THROW(total_size(wrapping), base::ValidationError);
}

const std::vector<RepoFile> kFiles = {{"b", 900, kSha1, kSha256, kXet}, {"a", 7, kSha1, "", ""}};

TEST(TreeRecord, IsWrittenAsTheReferenceClientReadsIt) {
  EXPECT_EQ(tree_record(kFiles).dump(),
            R"({"format_version":1,"files":{"a":{"size":7,"blob_id":")" + kSha1 +
                R"("},"b":{"size":900,"blob_id":")" + kSha1 + R"(","lfs_sha256":")" + kSha256 +
                R"(","lfs_size":900,"xet_hash":")" + kXet + R"("}}})");
  EXPECT_EQ(tree_record({}).dump(), R"({"format_version":1,"files":{}})");
}

TEST(TreeRecord, ComesBack) {
  const auto read = files_of_tree_record(json::parse(tree_record(kFiles).dump()));
  EXPECT_EQ(read, (std::vector<RepoFile>{kFiles[1], kFiles[0]}));
}

TEST(TreeRecord, AFileOfUnknownHashComesBackWithoutOne) {
  const std::vector<RepoFile> files = {{"a", 7, "", "", ""}};
  EXPECT_EQ(tree_record(files).dump(), R"({"format_version":1,"files":{"a":{"size":7}}})");
  EXPECT_EQ(files_of_tree_record(json::parse(tree_record(files).dump())), files);
}

TEST(TreeRecord, ManyFilesTakeNoTimeByTheSquare) {
  std::vector<RepoFile> files;
  for (int i = 0; i < 200'000; ++i) files.push_back(sized(std::to_string(i), 1));
  EXPECT_EQ(tree_record(files)["files"].size(), files.size());
}

TEST(TreeRecord, NullsAreMissingKeys) {
  const json record =
      json::parse(R"({"format_version":1,"files":{"a":{"size":7,"blob_id":")" + kSha1 +
                  R"(","lfs_sha256":null,"lfs_size":null,"xet_hash":null}}})");
  EXPECT_EQ(files_of_tree_record(record), (std::vector<RepoFile>{kFiles[1]}));
}

TEST(TreeRecord, AnotherVersionOrABrokenOneIsEmpty) {
  const auto entry = [](const std::string& text) {
    return R"({"format_version":1,"files":{"a":{"size":7},"b":)" + text + "}}";
  };
  ASSERT_EQ(files_of_tree_record(json::parse(entry(R"({"size":1})"))).size(), 2U);
  const std::vector<std::string> broken = {
      "[]",
      "null",
      "{}",
      R"({"format_version":2,"files":{"a":{"size":7}}})",
      R"({"format_version":"1","files":{"a":{"size":7}}})",
      R"({"files":{"a":{"size":7}}})",
      R"({"format_version":1})",
      R"({"format_version":1,"files":[]})",
      entry("1"),
      entry("{}"),
      entry(R"({"size":-1})"),
      entry(R"({"size":1.5})"),
      entry(R"({"size":1,"blob_id":7})"),
      entry(R"({"size":1,"blob_id":"../x"})"),
      entry(R"({"size":1,"lfs_sha256":"b"})"),
      entry(R"({"size":1,"xet_hash":"c"})"),
      entry(R"({"size":1,"lfs_size":2})"),
      R"({"format_version":1,"files":{"../a":{"size":7}}})",
      R"({"format_version":1,"files":{"a":{"size":7},"a/b":{"size":7}}})",
  };
  for (const std::string& text : broken) {
    EXPECT_TRUE(files_of_tree_record(json::parse(text)).empty()) << text;
  }
}

TEST(CaseCollision, NamesTheFirstPair) {
  const auto named = [](const char* path) { return RepoFile{path, 1, "", "", ""}; };
  EXPECT_EQ(case_collision({named("a"), named("b")}), std::nullopt);
  EXPECT_EQ(case_collision({named("x/Readme"), named("b"), named("X/README")}),
            (std::pair<std::string, std::string>("x/Readme", "X/README")));
}

TEST(FolderPrefix, EndsWithOneSlash) {
  EXPECT_EQ(folder_prefix(""), "");
  EXPECT_EQ(folder_prefix("/"), "");
  EXPECT_EQ(folder_prefix("a/b"), "a/b/");
  EXPECT_EQ(folder_prefix("a//"), "a/");
}

}  // namespace
}  // namespace lq::net
