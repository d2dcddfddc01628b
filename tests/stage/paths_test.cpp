#include "common/stage/paths.h"

#include <gtest/gtest.h>

#include "tests/io/failing_readdir.h"
#include "tests/support/scratch.h"

namespace lq::stage {
namespace {

TEST(Paths, NamesLieBesideAFileAndAroundADirectory) {
  ResultPlan plan;
  plan.path = "/o/x.gguf";
  plan.files = {{"/o/x.gguf", 1}, {"/o/y.gguf", 1}};
  ResultPaths paths = paths_of(plan, "");
  EXPECT_EQ(paths.parts[1], "/o/y.gguf.lq-part");
  EXPECT_EQ(paths.manifest, "/o/x.gguf.lq.json");
  EXPECT_EQ(paths.journal, "/o/x.gguf.lq-journal");
  EXPECT_EQ(paths_of(plan, "/c").journal, "/c/x.gguf.1092f580cf5b.lq-journal");
  plan.kind = ResultKind::kDirectory;
  plan.path = "/o/model/";
  plan.files = {{"a/b", 1}};
  paths = paths_of(plan, "");
  EXPECT_EQ(paths.part, "/o/model.lq-part");
  EXPECT_EQ(paths.parts[0], "/o/model.lq-part/a/b");
  EXPECT_EQ(paths.targets[0], "/o/model/a/b");
  EXPECT_EQ(paths.manifest, "/o/model/lq-manifest.json");
  EXPECT_EQ(paths.lock, "/o/model.lq-lock");
}

TEST(Paths, FindsShardFilesAndNothingElse) {
  const lq::testing::ScratchDirectory scratch;
  for (const char* name : {"x", "x.10-of-12", "x.2-of-3", "x.2-of-", "x.-of-3", "x.a-of-3",
                           "x.1-of-3.lq", "xx.1-of-3", "x1-of-3"}) {
    scratch.write(name, "");
  }
  EXPECT_EQ(shard_files(scratch.path() / "x"),
            (std::vector{scratch.path() / "x.10-of-12", scratch.path() / "x.2-of-3"}));
  EXPECT_EQ(of_shard("/x", {2, 3}), "/x.2-of-3");
}

TEST(Paths, ShardFilesThatCannotBeListedAreAnOutputError) {
  const lq::testing::ScratchDirectory scratch;
  for (const char* name : {"x.1-of-3", "x.2-of-3", "x.3-of-3"}) scratch.write(name, "");
  const auto error = lq::testing::error_of<base::OutputError>([&] {
    const lq::testing::FailingReaddir failing;
    shard_files(scratch.path() / "x");
  });
  EXPECT_EQ(error.what(), "cannot list " + scratch.path().string());
  EXPECT_EQ(error.why(), "Input/output error (" + (scratch.path() / "x").string() + ")");
  EXPECT_EQ(error.fix(), "check the disk (dmesg), then run the same command again");
  EXPECT_TRUE(shard_files(scratch.path() / "none/x").empty());
}

}  // namespace
}  // namespace lq::stage
