// Every state that a kill can leave between the last unit and the end, made by hand, and the run
// after it.

#include "common/stage/publish.h"

#include <fstream>
#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "common/stage/journal.h"
#include "common/stage/run_stage.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;

// A made result taken back to the moment before its publication: parts, and a journal with its
// `final` line.
class Finished {
 public:
  explicit Finished(const ToyShape& shape) : plan(toy_plan(scratch.path() / "x", shape)) {
    paths = paths_of(plan.results[0], {});
    run_partly(plan, shape.units - 1);
    std::filesystem::copy(paths.journal, saved_journal());
    run_toy(plan);
    manifest = nlohmann::json::parse(read_file(paths.manifest));
    std::filesystem::remove(paths.manifest);
    if (shape.kind == ResultKind::kDirectory) {
      std::filesystem::rename(paths.output, paths.part);
    } else {
      for (std::size_t file = 0; file < shape.files; ++file) unpublish(file);
    }
    std::filesystem::rename(saved_journal(), paths.journal);
    JournalWriter(paths.journal, std::filesystem::file_size(paths.journal)).append_final(manifest);
  }

  void unpublish(std::size_t file) {
    std::filesystem::rename(paths.targets[file], paths.parts[file]);
  }
  void publish_file(std::size_t file) {
    std::filesystem::rename(paths.parts[file], paths.targets[file]);
  }

  void expect_finished_without_work(const std::string& names) {
    const ToyRun run = run_toy(plan);
    EXPECT_EQ(run.units_run, 0U);
    EXPECT_EQ(run.report.status[0], ResultStatus::kUpToDate);
    EXPECT_EQ(run.observer.messages.at(0), "finished what an earlier run had left to do");
    EXPECT_EQ(names_in(scratch.path()), names);
    for (std::size_t file = 0; file < paths.targets.size(); ++file) {
      EXPECT_EQ(read_file(paths.targets[file]), expected_file(plan, 0, file));
    }
    EXPECT_EQ(nlohmann::json::parse(read_file(paths.manifest)), manifest);
  }

  ScratchDirectory scratch;
  Plan plan;
  ResultPaths paths;
  nlohmann::json manifest;

 private:
  std::filesystem::path saved_journal() const { return scratch.path() / "saved"; }
};

TEST(Publish, FinishesAfterAKillBehindTheFinalLine) {
  Finished state({});
  state.expect_finished_without_work("x x.lq.json");
}

TEST(Publish, TakesAwayTheScratchFolderAfterAKillBehindTheFinalLine) {
  Finished state({.kind = ResultKind::kDirectory});
  state.plan.results[0].scratch = "scratch";
  std::filesystem::create_directory(state.paths.part / "scratch");
  std::ofstream(state.paths.part / "scratch" / "left") << "by the run before";
  state.expect_finished_without_work("x");
  EXPECT_FALSE(std::filesystem::exists(state.paths.output / "scratch"));
}

TEST(Publish, FinishesAfterAKillBehindTheRename) {
  Finished state({});
  state.publish_file(0);
  state.expect_finished_without_work("x x.lq.json");
}

TEST(Publish, FinishesAfterAKillBehindTheManifest) {
  Finished state({});
  state.publish_file(0);
  overwrite(state.paths.manifest, state.manifest.dump());
  state.expect_finished_without_work("x x.lq.json");
}

TEST(Publish, FinishesAfterAKillBehindEachRenameOfSeveralFiles) {
  for (const std::size_t renamed : {0, 1, 2, 3}) {
    Finished state({.files = 3});
    for (const std::size_t file : {1, 2, 0}) {
      if ((file + 2) % 3 < renamed) state.publish_file(file);
    }
    state.expect_finished_without_work("x x.1 x.2 x.lq.json");
  }
}

TEST(Publish, SaysSoWhenThePartIsGoneOrAnotherOne) {
  for (const bool gone : {true, false}) {
    Finished state({});
    if (gone) {
      std::filesystem::remove(state.paths.parts[0]);
    } else {
      overwrite(state.paths.parts[0], "other");
    }
    const auto error = error_of<base::OutputError>(
        [&] { publish(ResultKind::kFiles, state.paths, state.manifest); });
    EXPECT_EQ(error.what(), "cannot put " + state.paths.output.string() + " in its place");
    EXPECT_EQ(error.why(),
              state.paths.parts[0].string() + " is gone or was changed by another program");
    EXPECT_FALSE(std::filesystem::exists(state.paths.manifest));
  }
}

TEST(Publish, RemovesLeftoverShardJournalsToo) {
  Finished state({});
  state.publish_file(0);
  overwrite(of_shard(state.paths.journal, {2, 3}), read_file(state.paths.journal));
  state.expect_finished_without_work("x x.lq.json");
}

TEST(Publish, FinishesADirectoryBehindTheFinalLine) {
  Finished state({.kind = ResultKind::kDirectory});
  state.expect_finished_without_work("x");
}

TEST(Publish, FinishesADirectoryBehindTheRename) {
  Finished state({.kind = ResultKind::kDirectory});
  std::filesystem::rename(state.paths.part, state.paths.output);
  state.expect_finished_without_work("x");
}

TEST(Publish, RemovesTheOldDirectoryAfterAKillBehindTheExchange) {
  Finished state({.kind = ResultKind::kDirectory});
  std::filesystem::rename(state.paths.part, state.paths.output);
  overwrite(state.paths.manifest, state.manifest.dump());
  std::filesystem::create_directory(state.paths.part);
  overwrite(state.paths.part / "old", "old");
  state.expect_finished_without_work("x");
}

TEST(Publish, FinishesADirectoryWhoseOldOneWasMovedAside) {
  Finished state({.kind = ResultKind::kDirectory});
  std::filesystem::create_directory(state.scratch.path() / "x.lq-old");
  state.expect_finished_without_work("x");
}

TEST(Publish, ReplacesAnOlderResultAfterAKillBehindTheFinalLine) {
  Finished state({});
  overwrite(state.paths.output, "the old one");
  state.expect_finished_without_work("x x.lq.json");
}

TEST(Publish, FinishesTheOldRunFirstWhenOptionsHaveChanged) {
  Finished state({});
  state.publish_file(0);
  state.plan = toy_plan(state.paths.output, {.type = "q5_k_m"});
  const ToyRun run = run_toy(state.plan);
  EXPECT_EQ(run.observer.messages.at(0), "finished what an earlier run had left to do");
  EXPECT_EQ(run.observer.messages.at(1), "rebuilding: option type q4_k_m -> q5_k_m");
  EXPECT_EQ(read_file(state.paths.output), expected_file(state.plan));
}

TEST(Publish, FinishedButUnrenamedPartsOfOtherOptionsAreACheckpoint) {
  Finished state({});
  EXPECT_THROW(run_toy(toy_plan(state.paths.output, {.type = "q5_k_m"})), base::CheckpointError);
}

TEST(Publish, ChecksUnitsAgainWhenThePartIsNotTheRecordedOne) {
  Finished state({});
  std::string bytes = read_file(state.paths.part);
  bytes[3] ^= 1;
  overwrite(state.paths.part, bytes);
  const ToyRun run = run_toy(state.plan);
  EXPECT_EQ(run.observer.warnings.size(), 1U);
  EXPECT_EQ(run.report.status[0], ResultStatus::kMade);
  EXPECT_EQ(read_file(state.paths.output), expected_file(state.plan));
}

TEST(Publish, DryRunLeavesAnUnfinishedPublicationAlone) {
  Finished state({});
  state.publish_file(0);
  StageOptions options;
  options.dry_run = true;
  EXPECT_EQ(run_toy(state.plan, options).report.status[0], ResultStatus::kPlanned);
  EXPECT_EQ(names_in(state.scratch.path()), "x x.lq-journal");
}

TEST(Publish, AForeignFileWithAJournalOfOursStaysForeign) {
  Finished state({});
  overwrite(state.paths.output, "foreign");
  std::filesystem::remove(state.paths.part);
  EXPECT_THROW(run_toy(state.plan), base::OutputError);
  EXPECT_EQ(read_file(state.paths.output), "foreign");
}

}  // namespace
}  // namespace lq::stage::testing
