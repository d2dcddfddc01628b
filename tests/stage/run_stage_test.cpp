#include "common/stage/run_stage.h"

#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "common/stage/manifest.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;

TEST(RunStage, MakesTheFileAndItsManifestAndLeavesNothingElse) {
  const ScratchDirectory scratch;
  const Plan plan = toy_plan(scratch.path() / "x.gguf");
  const ToyRun run = run_toy(plan);
  EXPECT_EQ(read_file(scratch.path() / "x.gguf"), expected_file(plan));
  EXPECT_EQ(names_in(scratch.path()), "x.gguf x.gguf.lq.json");
  EXPECT_EQ(run.report.status, std::vector{ResultStatus::kMade});
  EXPECT_EQ(run.report.paths[0], scratch.path() / "x.gguf");
  EXPECT_EQ(run.report.manifests[0], scratch.path() / "x.gguf.lq.json");
  EXPECT_EQ(run.observer.done, plan.units.size());
  EXPECT_EQ(run.observer.finished_calls, 1U);
  EXPECT_EQ(run.report.read_bytes, 7U);
  std::uint64_t written = 0;
  for (const Unit& unit : plan.units) written += unit.extents[0].size;
  EXPECT_EQ(run.report.written_bytes, written);
  EXPECT_GT(run.report.peak_rss, 1U << 20);
  EXPECT_TRUE(run.report.bound_by == "processor" || run.report.bound_by == "disk");
}

TEST(RunStage, TellsTheObserverOfItsEndInWhateverWayItEnds) {
  const ScratchDirectory scratch;
  const Plan plan = toy_plan(scratch.path() / "x.gguf");
  StageOptions dry;
  dry.dry_run = true;
  EXPECT_EQ(run_toy(plan, dry).observer.ended_calls, 1U);
  ToyObserver observer;
  ToyWork failing(plan);
  failing.before = [](std::size_t) { throw base::ConversionError("a", "b", "c"); };
  EXPECT_THROW(run_stage(plan, {}, failing, observer), base::ConversionError);
  EXPECT_EQ(observer.ended_calls, 1U);
  EXPECT_EQ(run_toy(plan).observer.ended_calls, 1U);
  EXPECT_EQ(run_toy(plan).observer.ended_calls, 1U);  // up to date
}

TEST(RunStage, ManifestHasEveryKeySortedAndTheFilesHash) {
  const ScratchDirectory scratch;
  Plan plan = toy_plan(scratch.path() / "x");
  plan.results[0].inputs.push_back(
      {"model", "/in", {{"/in/a", 5, 77, "abc"}}, "id1", {{"repo", "org/name"}}});
  run_toy(plan);
  const auto manifest = nlohmann::ordered_json::parse(read_file(scratch.path() / "x.lq.json"));
  std::string keys;
  for (const auto& entry : manifest.items()) keys += entry.key() + " ";
  EXPECT_EQ(keys,
            "argv bound_by commit cpu_seconds fingerprint format_version host inputs options "
            "outputs peak_rss result schema seconds time tool version ");
  EXPECT_EQ(manifest["schema"], "lq-manifest/1");
  EXPECT_EQ(manifest["outputs"][0]["path"], "x");
  EXPECT_EQ(manifest["outputs"][0]["sha256"], hash_of(expected_file(plan)));
  EXPECT_EQ(manifest["outputs"][0]["mtime_ns"], io::file_status(scratch.path() / "x")->mtime_ns);
  EXPECT_EQ(manifest["inputs"][0]["files"][0]["sha256"], "abc");
  EXPECT_EQ(manifest["inputs"][0]["origin"]["repo"], "org/name");
  EXPECT_EQ(manifest["result"]["answer"], 42);
  EXPECT_EQ(manifest["result"]["bits"], 4);
}

TEST(RunStage, MakesTheSameBytesWithOneTwoAndThreeThreads) {
  const ScratchDirectory scratch;
  for (const int threads : {1, 2, 3}) {
    const Plan plan = toy_plan(scratch.path() / std::to_string(threads), {.units = 200});
    StageOptions options;
    options.n_threads = threads;
    run_toy(plan, options);
    EXPECT_EQ(read_file(plan.results[0].path), expected_file(plan));
  }
}

TEST(RunStage, MakesSeveralResultsFromTheSameUnits) {
  const ScratchDirectory scratch;
  Plan plan = toy_plan(scratch.path() / "a");
  add_result(plan, scratch.path() / "b", {.type = "q5_k_m"});
  const ToyRun run = run_toy(plan);
  EXPECT_EQ(run.units_run, 40U);
  EXPECT_EQ(read_file(scratch.path() / "a"), expected_file(plan, 0));
  EXPECT_EQ(read_file(scratch.path() / "b"), expected_file(plan, 1));
  EXPECT_EQ(names_in(scratch.path()), "a a.lq.json b b.lq.json");
}

TEST(RunStage, LeavesResultsThatAreUpToDateAloneAndMakesTheOthers) {
  const ScratchDirectory scratch;
  run_toy(toy_plan(scratch.path() / "a"));
  const auto before = io::file_status(scratch.path() / "a");
  Plan plan = toy_plan(scratch.path() / "a");
  add_result(plan, scratch.path() / "b", {.type = "q5_k_m"});
  const ToyRun run = run_toy(plan);
  EXPECT_EQ(run.report.status, (std::vector{ResultStatus::kUpToDate, ResultStatus::kMade}));
  EXPECT_EQ(io::file_status(scratch.path() / "a")->inode, before->inode);
  EXPECT_EQ(read_file(scratch.path() / "b"), expected_file(plan, 1));
}

TEST(RunStage, ContinuesOneOfSeveralResultsByItself) {
  const ScratchDirectory scratch;
  Plan both = toy_plan(scratch.path() / "a");
  add_result(both, scratch.path() / "b", {.type = "q5_k_m"});
  run_partly(both, 20);
  const Plan one = toy_plan(scratch.path() / "b", {.type = "q5_k_m"});
  const ToyRun run = run_toy(one);
  EXPECT_EQ(run.units_run, 20U);
  EXPECT_EQ(read_file(scratch.path() / "b"), expected_file(one));
  const ToyRun rest = run_toy(both);
  EXPECT_EQ(rest.units_run, 20U);
  EXPECT_EQ(read_file(scratch.path() / "a"), expected_file(both, 0));
}

TEST(RunStage, MakesPartFilesOfOneResult) {
  const ScratchDirectory scratch;
  const Plan plan = toy_plan(scratch.path() / "x", {.files = 3});
  run_toy(plan);
  EXPECT_EQ(names_in(scratch.path()), "x x.1 x.2 x.lq.json");
  for (std::size_t file = 0; file < 3; ++file) {
    EXPECT_EQ(read_file(plan.results[0].files[file].path), expected_file(plan, 0, file));
  }
  EXPECT_EQ(run_toy(plan).report.status[0], ResultStatus::kUpToDate);
}

TEST(RunStage, MakesADirectoryWithItsManifestInside) {
  const ScratchDirectory scratch;
  const Plan plan =
      toy_plan(scratch.path() / "model", {.files = 2, .kind = ResultKind::kDirectory});
  run_toy(plan);
  EXPECT_EQ(names_in(scratch.path()), "model");
  EXPECT_EQ(names_in(scratch.path() / "model"), "lq-manifest.json sub");
  EXPECT_EQ(read_file(scratch.path() / "model/sub/file1"), expected_file(plan, 0, 1));
  EXPECT_EQ(run_toy(plan).report.status[0], ResultStatus::kUpToDate);
}

TEST(RunStage, ReplacesADirectoryOfOursAsAWhole) {
  const ScratchDirectory scratch;
  const auto path = scratch.path() / "model";
  run_toy(toy_plan(path, {.files = 3, .kind = ResultKind::kDirectory}));
  const Plan plan = toy_plan(path, {.files = 1, .kind = ResultKind::kDirectory, .type = "q5_k_m"});
  const ToyRun run = run_toy(plan);
  EXPECT_EQ(run.observer.messages.at(0), "rebuilding: option type q4_k_m -> q5_k_m");
  EXPECT_EQ(names_in(scratch.path()), "model");
  EXPECT_EQ(names_in(path / "sub"), "file0");
  EXPECT_EQ(read_file(path / "sub/file0"), expected_file(plan));
}

TEST(RunStage, UsesAnEmptyDirectoryThatIsThere) {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.path() / "model");
  const Plan plan = toy_plan(scratch.path() / "model", {.kind = ResultKind::kDirectory});
  EXPECT_EQ(run_toy(plan).report.status[0], ResultStatus::kMade);
}

TEST(RunStage, DryRunChangesNothing) {
  const ScratchDirectory scratch;
  const Plan plan = toy_plan(scratch.path() / "x");
  StageOptions options;
  options.dry_run = true;
  const ToyRun run = run_toy(plan, options);
  EXPECT_EQ(run.report.status[0], ResultStatus::kPlanned);
  EXPECT_EQ(run.units_run, 0U);
  EXPECT_EQ(names_in(scratch.path()), "");
  run_partly(plan, 10);
  const std::string names = names_in(scratch.path());
  EXPECT_EQ(run_toy(plan, options).observer.kept, 10U);
  EXPECT_EQ(names_in(scratch.path()), names);
  run_toy(plan);
  EXPECT_EQ(run_toy(plan, options).report.status[0], ResultStatus::kUpToDate);
}

TEST(RunStage, KeepsWhatIsFinishedWhenAUnitFails) {
  const ScratchDirectory scratch;
  const Plan plan = toy_plan(scratch.path() / "x");
  ToyWork work(plan);
  work.before = [](std::size_t unit) {
    if (unit == 30) throw base::ValidationError("bad weight", "it is NaN", "fetch again");
  };
  ToyObserver observer;
  const auto error = error_of<base::ValidationError>([&] { run_stage(plan, {}, work, observer); });
  EXPECT_STREQ(error.what(), "bad weight");
  EXPECT_EQ(names_in(scratch.path()), "x.lq-journal x.lq-part");
  EXPECT_EQ(run_toy(plan).units_run, 10U);
}

TEST(RunStage, SavesTheCheckpointWhenMemoryRunsOut) {
  const ScratchDirectory scratch;
  Plan plan = toy_plan(scratch.path() / "x");
  plan.memory_advice = "lower --threads";
  ToyWork work(plan);
  work.before = [](std::size_t unit) {
    if (unit == 7) throw std::bad_alloc();
  };
  ToyObserver observer;
  const auto error = error_of<base::OutOfMemoryError>([&] { run_stage(plan, {}, work, observer); });
  EXPECT_STREQ(error.what(), "memory ran out while making unit.7");
  EXPECT_EQ(error.fix(), "lower --threads; what is finished is kept, run the command again");
  EXPECT_EQ(run_toy(plan).units_run, 33U);
}

TEST(RunStage, RefusesUnitsOfAnotherSizeThanPlanned) {
  const ScratchDirectory scratch;
  const Plan plan = toy_plan(scratch.path() / "x");
  class Wrong : public UnitWork {
    void run(std::size_t, UnitSink& sink) override { sink.write(0, {}); }
  } wrong;
  class Lazy : public UnitWork {
    void run(std::size_t, UnitSink&) override {}
  } lazy;
  ToyObserver observer;
  EXPECT_THROW(run_stage(plan, {}, wrong, observer), std::logic_error);
  EXPECT_THROW(run_stage(plan, {}, lazy, observer), std::logic_error);
}

TEST(RunStage, PutsTheJournalIntoTheCheckpointDirectory) {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.path() / "c");
  const Plan plan = toy_plan(scratch.path() / "x");
  StageOptions options;
  options.checkpoint_dir = scratch.path() / "c";
  run_partly(plan, 10, options);
  EXPECT_EQ(names_in(scratch.path()), "c x.lq-part");
  EXPECT_EQ(names_in(scratch.path() / "c"),
            paths_of(plan.results[0], options.checkpoint_dir).journal.filename());
  EXPECT_EQ(run_toy(plan, options).units_run, 30U);
  EXPECT_EQ(names_in(scratch.path() / "c"), "");
}

TEST(RunStage, OutputsOfOneNameDoNotShareAJournalInTheCheckpointDirectory) {
  const ScratchDirectory scratch;
  for (const char* name : {"c", "o1", "o2"}) {
    std::filesystem::create_directory(scratch.path() / name);
  }
  const Plan first = toy_plan(scratch.path() / "o1/x"), second = toy_plan(scratch.path() / "o2/x");
  StageOptions options;
  options.checkpoint_dir = scratch.path() / "c";
  run_partly(first, 30, options);
  run_partly(second, 10, options);
  EXPECT_EQ(run_toy(first, options).units_run, 10U);
  EXPECT_EQ(run_toy(second, options).units_run, 30U);
}

}  // namespace
}  // namespace lq::stage::testing
