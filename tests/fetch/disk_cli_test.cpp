// What a fetch does with the disk: links in place of copies, and a disk that fills up on the way.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool clones(const fs::path& directory) {
  const int from = ::open((directory / "from").c_str(), O_RDWR | O_CREAT, 0600);
  const int to = ::open((directory / "to").c_str(), O_RDWR | O_CREAT, 0600);
  const bool cloned = ::write(from, "x", 1) == 1 && ::ioctl(to, FICLONE, from) == 0;
  ::close(from);
  ::close(to);
  return cloned;
}

ino_t inode(const fs::path& file) {
  struct stat status = {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0) << file;
  return status.st_ino;
}

TEST_F(FetchTest, LinksWhatTheCacheHasWhereItCannotBeCloned) {
  const Files model = hub_.add_model("org/model", 1, 300'000);
  hub_.start();
  const fs::path weights = snapshot("models--org--model") / "model.safetensors";
  ASSERT_EQ(fetch({"org/model"}).exit_code, 0);
  ASSERT_EQ(fetch({"org/model", "-o", "copied"}).exit_code, 0);
  ASSERT_EQ(fetch({"org/model", "-o", "linked", "--link"}).exit_code, 0);
  EXPECT_EQ(files_in(scratch_.path() / "copied"), model);
  EXPECT_EQ(files_in(scratch_.path() / "linked"), model);
  EXPECT_FALSE(fs::is_symlink(scratch_.path() / "linked/model.safetensors"));
  EXPECT_NE(inode(scratch_.path() / "copied/model.safetensors"), inode(weights));
  EXPECT_EQ(inode(scratch_.path() / "linked/model.safetensors") == inode(weights),
            !clones(scratch_.path()));
  // The cache keeps its own, whatever becomes of the other name.
  ASSERT_EQ(fetch({"org/model", "-o", "linked", "--force"}).exit_code, 0);
  EXPECT_EQ(read_file(weights), model.at("model.safetensors"));
  const Outcome useless = fetch({"org/model", "--link"});
  EXPECT_EQ(useless.exit_code, 2) << useless.err;
}

// Fetches onto a file system of 32 MB of its own, and fills that up as soon as a journal is there;
// then again, with the room given back. What was there in between is copied out of it.
constexpr const char* kFillsUp = R"(
mkdir disk && mount -t tmpfs -o size=32m tmpfs disk || exit 100
"$@" --limit-rate 2M 2> err & fetch=$!
until compgen -G 'disk/here/.cache/huggingface/download/*.journal' > found; do
  kill -0 $fetch || break
  sleep 0.01
done
cat /dev/zero > disk/filler
wait $fetch; echo $? > code
mkdir between && cp disk/here/.cache/huggingface/download/*.journal between/
[ ! -e disk/here/lq-manifest.json ] || touch between/manifest
rm disk/filler
"$@" || exit 101
cp -r disk/here here
)";

TEST_F(FetchTest, ADiskThatFillsUpOnTheWayKeepsWhatCame) {
  const Command probe{
      {"unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", scratch_.path()}, {}, scratch_.path()};
  if (run(probe).exit_code != 0) {
    GTEST_SKIP() << "no full disk was tried: this user may not mount one";
  }
  const Files model = hub_.add_model("org/model", 2, 10'000'000);
  hub_.start();
  const Command whole = command({"org/model", "-o", "disk/here", "--jobs", "1"});
  Command filling = whole;
  filling.arguments = {"unshare", "-rm", "bash", "-c", kFillsUp, "bash"};
  filling.arguments.insert(filling.arguments.end(), whole.arguments.begin(), whole.arguments.end());
  const Outcome outcome = run(filling);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string said = read_file(scratch_.path() / "err");
  EXPECT_EQ(read_file(scratch_.path() / "code"), "8\n") << said;
  EXPECT_NE(said.find("No space left on device"), std::string::npos) << said;
  EXPECT_NE(said.find("df -h "), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(scratch_.path() / "between/manifest"));
  EXPECT_NE(outcome.err.find("resuming: "), std::string::npos) << outcome.err;
  EXPECT_EQ(files_in(scratch_.path() / "here"), model);
}

// Runs with the cache on a file system that cannot be written.
constexpr const char* kReadOnly = R"(
mount --bind home home && mount -o remount,ro,bind home || exit 100
"$@"
)";

class ReadOnlyTest : public FetchTest {
 protected:
  Outcome fetch_read_only(std::vector<std::string> arguments) const {
    Command read_only = command(std::move(arguments));
    std::vector<std::string> whole = {"unshare", "-rm", "bash", "-c", kReadOnly, "bash"};
    read_only.arguments.insert(read_only.arguments.begin(), whole.begin(), whole.end());
    return run(read_only);
  }
};

TEST_F(ReadOnlyTest, ACacheThatIsWholeIsUsedAsItIs) {
  fs::create_directories(cache());
  if (fetch_read_only({"--version"}).exit_code != 0) {
    GTEST_SKIP() << "no read-only disk was tried: this user may not mount one";
  }
  hub_.add_model("org/model", 2, 1000);
  hub_.start();
  const Outcome made = fetch({"org/model"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  fs::remove_all(cache() / "models--org--model/refs");
  EXPECT_EQ(fetch_read_only({"org/model"}).out, made.out) << "our own manifest says so";
  // As the reference client leaves it.
  fs::remove_all(cache() / "models--org--model/lq");
  fs::remove_all(cache() / ".locks");
  for (const char* const how : {"--progress=never", "--dry-run"}) {
    const Outcome used = fetch_read_only({"org/model", how, "--json"});
    EXPECT_EQ(used.exit_code, 0) << used.err;
    EXPECT_NE(used.err.find("cannot be written: it is whole, and used as it is"), std::string::npos)
        << used.err;
    EXPECT_EQ(json::parse(used.out)["path"].get<std::string>() + "\n", made.out);
  }
  fs::resize_file(fs::canonical(made.out.substr(0, made.out.size() - 1) + "/config.json"), 5);
  for (const char* const how : {"--progress=never", "--dry-run"}) {
    const Outcome refused = fetch_read_only({"org/model", how});
    EXPECT_EQ(refused.exit_code, 8) << refused.err;
    EXPECT_NE(refused.err.find("cannot write into "), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("Read-only file system"), std::string::npos) << refused.err;
  }
}

}  // namespace
}  // namespace lq::testing
