#include "common/net/plain_directory.h"

#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "common/base/errors.h"
#include "common/io/json_file.h"
#include "tests/net/destination_files.h"

namespace lq::net {
namespace {

namespace fs = std::filesystem;
using testing::read_file;

const std::string kCommit(40, '1');

class PlainDirectoryTest : public ::testing::Test {
 protected:
  PlainDirectoryTest() { directory_.prepare(); }

  bool is_foreign(const RepoFile& file) const {
    return directory_.is_foreign(file, [] {});
  }

  testing::ScratchDirectory scratch_;
  const fs::path here_ = scratch_.path() / "here";
  const fs::path notes_ = here_ / ".cache/huggingface";
  PlainDirectory directory_{here_, kCommit};
  const RepoFile file_ = small_file("a/x.txt", "content", 'a');
};

TEST_F(PlainDirectoryTest, HoldsTheFilesAndNotesBesideThem) {
  EXPECT_EQ(directory_.directory(), here_);
  EXPECT_EQ(directory_.manifest(), here_ / "lq-manifest.json");
  EXPECT_EQ(directory_.lock(), notes_ / "lq.lock");
  EXPECT_EQ(read_file(notes_ / ".gitignore"), "*");
  EXPECT_TRUE(fs::exists(notes_ / "CACHEDIR.TAG"));
  scratch_.write("here/.cache/huggingface/.gitignore", "mine");
  directory_.prepare();
  EXPECT_EQ(read_file(notes_ / ".gitignore"), "mine");
  directory_.note_files({file_});
  EXPECT_EQ(directory_.tree_record(), notes_ / "trees" / (kCommit + ".json"));
  EXPECT_EQ(files_of_tree_record(io::read_json_file(directory_.tree_record())),
            std::vector<RepoFile>{file_});
}

TEST_F(PlainDirectoryTest, APublishedFileHasTheNoteOfTheReferenceClient) {
  EXPECT_TRUE(directory_.candidates(file_).empty());
  bring(directory_, file_, "content");
  EXPECT_EQ(read_file(here_ / "a/x.txt"), "content");
  EXPECT_EQ(directory_.candidates(file_), std::vector<fs::path>{here_ / "a/x.txt"});
  std::istringstream note(read_file(notes_ / "download/a/x.txt.metadata"));
  std::string commit, etag;
  double time = 0;
  note >> commit >> etag >> time;
  EXPECT_EQ(commit, kCommit);
  EXPECT_EQ(etag, file_.etag());
  EXPECT_GT(time, 1.7e9);
  EXPECT_EQ(std::distance(fs::directory_iterator(notes_ / "download/a"), {}), 1)
      << "nothing is left over";
}

TEST_F(PlainDirectoryTest, AFileWithoutANoteIsTheUsers) {
  EXPECT_FALSE(is_foreign(file_)) << "nothing is there";
  scratch_.write("here/a/x.txt", "my own");
  EXPECT_TRUE(is_foreign(file_));
  EXPECT_TRUE(directory_.adopt(file_, here_ / "a/x.txt"));
  EXPECT_FALSE(is_foreign(file_));
  const RepoFile other = small_file("link", "content", 'a');
  fs::create_symlink("nowhere", here_ / "link");
  EXPECT_TRUE(is_foreign(other)) << "a link that leads nowhere is a file of theirs too";
}

TEST_F(PlainDirectoryTest, AFileThatWasEditedIsTheUsers) {
  const fs::path place = here_ / "hello.txt";
  const RepoFile hello{"hello.txt", 6, "ce013625030ba8dba906f756967f9e9ca394464a", "", ""};
  bring(directory_, hello, "hello\n");
  const auto younger = fs::file_time_type::clock::now() + std::chrono::minutes(1);
  fs::last_write_time(place, younger);
  EXPECT_FALSE(is_foreign(hello)) << "a copy of the directory may be younger than its notes";
  scratch_.write("here/hello.txt", "hellO\n");
  fs::last_write_time(place, younger);
  EXPECT_TRUE(is_foreign(hello));
  scratch_.write("here/.cache/huggingface/download/hello.txt.metadata", "no note\n");
  fs::last_write_time(place, younger - std::chrono::hours(1));
  EXPECT_TRUE(is_foreign(hello));
  fs::remove(place);
  fs::create_directory(place);
  EXPECT_FALSE(is_foreign(hello)) << "a folder makes room, or is in the way";
}

TEST_F(PlainDirectoryTest, PresentIsARegularFileOfTheSizeWithinTheDirectory) {
  scratch_.write("here/a/x.txt", "longer content");
  EXPECT_TRUE(directory_.candidates(file_).empty());
  fs::remove(here_ / "a/x.txt");
  fs::create_symlink(scratch_.write("elsewhere", "content"), here_ / "a/x.txt");
  EXPECT_TRUE(directory_.candidates(file_).empty());
  fs::remove(here_ / "a/x.txt");
  fs::create_directory(here_ / "a/x.txt");
  EXPECT_TRUE(directory_.candidates(file_).empty());
}

TEST_F(PlainDirectoryTest, APartialBelongsToOneContent) {
  RepoFile changed = file_, unknown = file_;
  changed.blob_id = std::string(40, 'b');
  unknown.blob_id = "";
  EXPECT_EQ(directory_.task(file_).partial,
            notes_ / "download/a" / ("x.txt." + file_.etag() + ".lq.incomplete"));
  EXPECT_EQ(directory_.task(file_).journal,
            notes_ / "download/a" / ("x.txt." + file_.etag() + ".lq.journal"));
  EXPECT_NE(directory_.task(file_).partial, directory_.task(changed).partial);
  EXPECT_EQ(directory_.task(unknown).partial,
            notes_ / "download/a" / ("x.txt." + kCommit + ".lq.incomplete"));
  EXPECT_EQ(directory_.bytes_on_the_way(file_), 0U);
  std::ofstream(directory_.task(file_).partial) << std::string(100'000, 'x');
  EXPECT_GE(directory_.bytes_on_the_way(file_), 100'000U);
  EXPECT_EQ(directory_.bytes_on_the_way(changed), 0U);
}

TEST_F(PlainDirectoryTest, PartialsOfContentsOfOtherCommitsAreRemoved) {
  RepoFile changed = file_;
  changed.blob_id = std::string(40, 'b');
  for (const RepoFile& file : {file_, changed}) {
    std::ofstream(directory_.task(file).partial) << "half";
    std::ofstream(directory_.task(file).journal) << "{}";
  }
  scratch_.write("here/.cache/huggingface/download/a/theirs.incomplete", "of another client");
  directory_.note_files({file_});
  EXPECT_TRUE(fs::exists(directory_.task(file_).partial));
  EXPECT_TRUE(fs::exists(directory_.task(file_).journal));
  EXPECT_FALSE(fs::exists(directory_.task(changed).partial));
  EXPECT_FALSE(fs::exists(directory_.task(changed).journal));
  EXPECT_TRUE(fs::exists(notes_ / "download/a/theirs.incomplete"));
}

TEST_F(PlainDirectoryTest, NamesOfAnyLengthThatAFileSystemTakes) {
  for (const std::size_t length : {1, 150, 206, 207, 215, 216, 240, 255}) {
    const RepoFile file = small_file("a/" + std::string(length, 'n'), "content", 'a');
    bring(directory_, file, "content");
    EXPECT_EQ(directory_.candidates(file), std::vector<fs::path>{here_ / file.path}) << length;
    EXPECT_LE(directory_.task(file).partial.filename().string().size(), 255U - 40U) << length;
    const bool has_note = length + std::string(".metadata").size() + 40 <= 255;
    EXPECT_EQ(is_foreign(file), !has_note) << length;
  }
  const RepoFile one = small_file(std::string(255, 'n'), "content", 'a');
  const RepoFile other = small_file(std::string(254, 'n') + "m", "content", 'a');
  EXPECT_NE(directory_.task(one).partial, directory_.task(other).partial);
}

TEST_F(PlainDirectoryTest, NothingIsWrittenThroughAFolderThatIsALink) {
  const testing::ScratchDirectory elsewhere;
  fs::create_symlink(elsewhere.path(), here_ / "a");
  EXPECT_THROW(bring(directory_, file_, "content"), base::OutputError);
  fs::remove_all(here_ / ".cache");
  fs::create_symlink(elsewhere.path(), here_ / ".cache");
  EXPECT_THROW(directory_.prepare(), base::OutputError);
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
}

}  // namespace
}  // namespace lq::net
