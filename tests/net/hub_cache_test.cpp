#include "common/net/hub_cache.h"

#include <fstream>
#include <future>
#include <gtest/gtest.h>

#include "common/base/errors.h"
#include "common/io/json_file.h"
#include "tests/net/destination_files.h"

namespace lq::net {
namespace {

namespace fs = std::filesystem;
using testing::error_of;
using testing::read_file;
using Places = std::vector<fs::path>;

const std::string kCommit(40, '1'), kOtherCommit(40, '2');

class HubCacheTest : public ::testing::Test {
 protected:
  HubCache cache(bool links = true, const std::string& commit = kCommit) {
    HubCache made(scratch_.path(), "org/name", commit, links);
    made.prepare();
    return made;
  }

  testing::ScratchDirectory scratch_;
  const fs::path repo_ = scratch_.path() / "models--org--name";
  const RepoFile file_ = small_file("a/b/x.txt", "content", 'a');
  const fs::path blob_ = repo_ / "blobs" / file_.etag();
};

TEST_F(HubCacheTest, IsLaidOutAsItsClientsKnowIt) {
  HubCache made = cache();
  EXPECT_EQ(made.directory(), repo_ / "snapshots" / kCommit);
  EXPECT_EQ(made.manifest(), repo_ / "lq" / (kCommit + ".json"));
  EXPECT_EQ(made.tree_record(), repo_ / "trees" / (kCommit + ".json"));
  EXPECT_EQ(made.lock(),
            scratch_.path() / ".locks/models--org--name" / ("lq-" + kCommit + ".lock"));
  EXPECT_TRUE(fs::exists(made.lock().parent_path()));
  EXPECT_TRUE(fs::exists(scratch_.path() / "CACHEDIR.TAG"));
  for (const char* const folder : {"blobs", "refs", "snapshots", "trees", "lq"}) {
    EXPECT_TRUE(fs::is_directory(repo_ / folder)) << folder;
  }
  EXPECT_FALSE(made.is_foreign(file_, [] {}));
  made.note_files({file_});
  EXPECT_EQ(files_of_tree_record(io::read_json_file(made.tree_record())),
            std::vector<RepoFile>{file_});
}

TEST_F(HubCacheTest, ContentIsABlobAndTheSnapshotLinksToIt) {
  HubCache made = cache();
  EXPECT_TRUE(made.candidates(file_).empty());
  bring(made, file_, "content");
  EXPECT_EQ(read_file(blob_), "content");
  EXPECT_EQ(fs::read_symlink(made.directory() / "a/b/x.txt"), "../../../../blobs/" + file_.etag());
  EXPECT_EQ(read_file(made.directory() / "a/b/x.txt"), "content");
  EXPECT_EQ(made.candidates(file_), (Places{blob_, made.directory() / file_.path}));
  EXPECT_EQ(std::distance(fs::directory_iterator(repo_ / "blobs"), {}), 1)
      << "nothing is left over";
}

TEST_F(HubCacheTest, PresentIsWhatHasTheSizeAndLiesInTheCache) {
  HubCache made = cache();
  scratch_.write(blob_.lexically_relative(scratch_.path()), "longer content");
  EXPECT_TRUE(made.candidates(file_).empty());
  fs::remove(blob_);
  const testing::ScratchDirectory elsewhere;
  fs::create_symlink(elsewhere.write("x", "content"), blob_);
  EXPECT_TRUE(made.candidates(file_).empty()) << "a link that leads out";
  fs::remove(blob_);
  scratch_.write("blobs/shared", "content");
  fs::create_symlink(scratch_.path() / "blobs/shared", blob_);
  EXPECT_EQ(made.candidates(file_), Places{blob_}) << "the store that newer clients share";
  fs::remove(blob_);
  fs::create_directories(made.directory() / "a/b");
  std::ofstream(made.directory() / "a/b/x.txt") << "content";
  EXPECT_EQ(made.candidates(file_), Places{made.directory() / "a/b/x.txt"})
      << "of a client without links";
  EXPECT_TRUE(made.adopt(file_, made.directory() / "a/b/x.txt"));
  EXPECT_FALSE(fs::is_symlink(made.directory() / "a/b/x.txt")) << "and it stays as it is";
}

TEST_F(HubCacheTest, AdoptingLinksWhatIsThereAndMendsAWrongLink) {
  HubCache made = cache();
  scratch_.write(blob_.lexically_relative(scratch_.path()), "content");
  fs::create_directories(made.directory() / "a/b");
  fs::create_symlink("../../../../blobs/none", made.directory() / "a/b/x.txt");
  for (int again = 0; again < 2; ++again) {
    EXPECT_TRUE(made.adopt(file_, blob_));
    EXPECT_EQ(fs::read_symlink(made.directory() / "a/b/x.txt"),
              "../../../../blobs/" + file_.etag());
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(repo_ / "blobs"), {}), 1);
}

TEST_F(HubCacheTest, PublishingReplacesALinkIntoTheSharedStoreAndNotWhatItNames) {
  HubCache made = cache();
  scratch_.write("blobs/shared", "damaged");
  fs::create_symlink(scratch_.path() / "blobs/shared", blob_);
  bring(made, file_, "content");
  EXPECT_FALSE(fs::is_symlink(blob_));
  EXPECT_EQ(read_file(blob_), "content");
  EXPECT_EQ(read_file(scratch_.path() / "blobs/shared"), "damaged");
}

TEST_F(HubCacheTest, RunsOfTwoCommitsDoNotShareAPartial) {
  HubCache one = cache(), other = cache(true, kOtherCommit);
  EXPECT_NE(one.task(file_).partial, other.task(file_).partial);
  EXPECT_NE(one.task(file_).journal, other.task(file_).journal);
  RepoFile twin = file_;
  twin.path = "twin.txt";
  EXPECT_EQ(one.task(file_).partial, one.task(twin).partial) << "the same content comes once";
  EXPECT_EQ(one.task(file_).partial.extension(), ".incomplete") << "a name that pruning knows";
}

TEST_F(HubCacheTest, RunsOfTwoCommitsLinkToOneBlobAtTheSameTime) {
  scratch_.write(blob_.lexically_relative(scratch_.path()), "content");
  const auto link_often = [this](const std::string& commit) {
    HubCache made = cache(true, commit);
    for (int i = 0; i < 500; ++i) {
      fs::remove(made.directory() / file_.path);
      made.adopt(file_, blob_);
    }
  };
  auto one = std::async(std::launch::async, link_often, kCommit);
  auto other = std::async(std::launch::async, link_often, kOtherCommit);
  EXPECT_NO_THROW(one.get());
  EXPECT_NO_THROW(other.get());
  EXPECT_EQ(std::distance(fs::directory_iterator(repo_ / "blobs"), {}), 1);
}

TEST_F(HubCacheTest, BytesOnTheWayAreWhatThePartialTakesOfTheDisk) {
  HubCache made = cache();
  EXPECT_EQ(made.bytes_on_the_way(file_), 0U);
  std::ofstream(made.task(file_).partial) << std::string(100'000, 'x');
  EXPECT_GE(made.bytes_on_the_way(file_), 100'000U);
}

TEST_F(HubCacheTest, WithoutLinksEachPathHasTheContent) {
  HubCache made = cache(false);
  RepoFile twin = file_;
  twin.path = "twin.txt";
  EXPECT_NE(made.task(file_).partial, made.task(twin).partial);
  bring(made, file_, "content");
  EXPECT_FALSE(fs::is_symlink(made.directory() / "a/b/x.txt"));
  EXPECT_EQ(read_file(made.directory() / "a/b/x.txt"), "content");
  EXPECT_FALSE(fs::exists(blob_));
  EXPECT_EQ(made.candidates(file_), Places{made.directory() / "a/b/x.txt"});
  scratch_.write(blob_.lexically_relative(scratch_.path()), "content");
  EXPECT_FALSE(made.adopt(twin, blob_)) << "other commits may link to it, so it is copied";
  EXPECT_TRUE(fs::exists(blob_));
}

TEST_F(HubCacheTest, WithoutLinksTheSnapshotsOwnFileIsLookedAtFirst) {
  HubCache made = cache(false);
  const fs::path place = made.directory() / file_.path;
  scratch_.write(blob_.lexically_relative(scratch_.path()), "content");
  scratch_.write(place.lexically_relative(scratch_.path()), "damaged");
  EXPECT_EQ(made.candidates(file_), (Places{place, blob_}));
  EXPECT_TRUE(made.adopt(file_, place));
  EXPECT_FALSE(made.adopt(file_, blob_)) << "what is in its place is not what was hashed";
  EXPECT_EQ(cache(true).candidates(file_), (Places{blob_, place}));
}

TEST_F(HubCacheTest, ARightFileInTheSnapshotIsNotReplacedByALinkToAWrongBlob) {
  HubCache made = cache();
  const fs::path place = made.directory() / file_.path;
  scratch_.write(blob_.lexically_relative(scratch_.path()), "damaged");
  scratch_.write(place.lexically_relative(scratch_.path()), "content");
  EXPECT_TRUE(made.adopt(file_, place));
  EXPECT_EQ(read_file(place), "content");
}

TEST_F(HubCacheTest, KeepsNothingWithoutAHash) {
  HubCache made = cache();
  RepoFile unknown = file_;
  unknown.blob_id = "";
  const auto error = error_of<base::ValidationError>([&] { made.task(unknown); });
  EXPECT_STREQ(error.what(), "cannot keep a/b/x.txt in the shared cache");
  EXPECT_EQ(error.fix(), "fetch into a directory with -o DIR");
  EXPECT_TRUE(made.candidates(unknown).empty());
}

TEST_F(HubCacheTest, RemembersWhatARevisionStoodFor) {
  HubCache made = cache();
  const auto cached = [&](const std::string& revision) {
    return HubCache::cached_commit(scratch_.path(), "org/name", revision);
  };
  EXPECT_EQ(cached("main"), "");
  made.remember("main");
  made.remember("refs/pr/1");
  made.remember(kCommit);
  EXPECT_EQ(cached("main"), kCommit);
  EXPECT_EQ(read_file(repo_ / "refs/refs/pr/1"), kCommit);
  EXPECT_FALSE(fs::exists(repo_ / "refs" / kCommit)) << "a commit stands for itself";
  cache(true, kOtherCommit).remember("main");
  EXPECT_EQ(cached("main"), kOtherCommit);
  for (const char* const text : {"", "main", "../../x"}) {
    scratch_.write("models--org--name/refs/main", text);
    EXPECT_EQ(cached("main"), "") << text;
  }
  EXPECT_EQ(cached("refs"), "") << "a folder";
}

}  // namespace
}  // namespace lq::net
