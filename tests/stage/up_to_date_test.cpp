// When a result is left alone, made again, or protected.

#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/stage/existing_result.h"
#include "common/stage/fingerprint.h"
#include "common/stage/manifest.h"
#include "common/stage/run_stage.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;

class UpToDate : public ::testing::Test {
 protected:
  UpToDate() { plan_ = plan(); }

  Plan plan(const ToyShape& shape = {}) {
    Plan made = toy_plan(output_, shape);
    add_input(made, "content-1", 1'000'000'000);
    return made;
  }
  void add_input(Plan& plan, const std::string& content, std::int64_t mtime_ns) {
    plan.results[0].inputs = {{"model", "/in", {{"/in/w", 10, mtime_ns, ""}}, content, nullptr}};
  }
  nlohmann::json manifest() { return nlohmann::json::parse(read_file(manifest_)); }

  ScratchDirectory scratch_;
  std::filesystem::path output_ = scratch_.path() / "x", manifest_ = scratch_.path() / "x.lq.json";
  Plan plan_;
};

TEST_F(UpToDate, SecondRunDoesNothingAndSaysWhen) {
  run_toy(plan_);
  const std::string before = read_file(manifest_);
  const ToyRun run = run_toy(plan_);
  EXPECT_EQ(run.units_run, 0U);
  EXPECT_EQ(run.report.status[0], ResultStatus::kUpToDate);
  EXPECT_EQ(run.report.paths[0], output_);
  EXPECT_EQ(run.report.manifests[0], manifest_);
  EXPECT_EQ(run.observer.messages,
            std::vector<std::string>{"up to date (made " + manifest()["time"].get<std::string>() +
                                     " by lq-toy 1.2.3)"});
  EXPECT_EQ(read_file(manifest_), before);
  EXPECT_EQ(names_in(scratch_.path()), "x x.lq.json");
}

TEST_F(UpToDate, RefreshesTheRecordWhenOnlyAnInputsTimeChanged) {
  run_toy(plan_);
  add_input(plan_, "content-1", 2'000'000'000);
  EXPECT_EQ(run_toy(plan_).report.status[0], ResultStatus::kUpToDate);
  EXPECT_EQ(manifest()["inputs"][0]["files"][0]["mtime_ns"], 2'000'000'000);
}

TEST_F(UpToDate, TouchesAnOutputThatIsOlderThanAnInput) {
  run_toy(plan_);
  const std::int64_t newer = io::file_status(output_)->mtime_ns + 1'000'000;
  add_input(plan_, "content-1", newer);
  EXPECT_EQ(run_toy(plan_).report.status[0], ResultStatus::kUpToDate);
  EXPECT_GE(io::file_status(output_)->mtime_ns, newer);
  EXPECT_EQ(manifest()["outputs"][0]["mtime_ns"], io::file_status(output_)->mtime_ns);
  EXPECT_EQ(run_toy(plan_).report.status[0], ResultStatus::kUpToDate);
}

TEST_F(UpToDate, TouchesADirectoryThatIsOlderThanAnInput) {
  plan_ = plan({.kind = ResultKind::kDirectory});
  run_toy(plan_);
  const std::int64_t newer = io::file_status(output_)->mtime_ns + 1'000'000;
  add_input(plan_, "content-1", newer);
  EXPECT_EQ(run_toy(plan_).report.status[0], ResultStatus::kUpToDate);
  EXPECT_GE(io::file_status(output_)->mtime_ns, newer);
}

TEST_F(UpToDate, RebuildsForOtherOptionsInputsAndFormatsAndSaysWhich) {
  run_toy(plan_);
  plan_ = plan({.type = "q5_k_m"});
  plan_.results[0].options["imatrix"] = true;
  add_input(plan_, "content-2", 5);
  plan_.results[0].format_version = 2;
  const ToyRun run = run_toy(plan_);
  EXPECT_EQ(run.observer.messages.at(0),
            "rebuilding: format version 1 -> 2; option imatrix not given -> true; option type "
            "q4_k_m -> q5_k_m; input model changed");
  EXPECT_EQ(read_file(output_), expected_file(plan_));
}

TEST_F(UpToDate, NamesInputsThatWereAddedOrRemoved) {
  const nlohmann::json old = identity_of(plan_.results[0]);
  plan_.results[0].inputs[0].role = "imatrix";
  EXPECT_EQ(differences(old, plan_.results[0]), "input imatrix added; input model removed");
}

TEST_F(UpToDate, ForceMakesItAgain) {
  run_toy(plan_);
  StageOptions options;
  options.force = true;
  const ToyRun run = run_toy(plan_, options);
  EXPECT_EQ(run.units_run, 40U);
  EXPECT_EQ(run.observer.messages.at(0), "rebuilding: --force");
}

TEST_F(UpToDate, RebuildsAMissingOutput) {
  run_toy(plan_);
  std::filesystem::remove(output_);
  EXPECT_EQ(run_toy(plan_).units_run, 40U);
  plan_ = plan({.files = 2});
  StageOptions force;
  force.force = true;
  run_toy(plan_, force);
  std::filesystem::remove(plan_.results[0].files[1].path);
  EXPECT_EQ(run_toy(plan_).observer.messages.at(0), "rebuilding: the output is missing");
}

TEST_F(UpToDate, AFileThatIsNotOursIsLeftAlone) {
  overwrite(output_, "precious");
  const auto error = error_of<base::OutputError>([this] { run_toy(plan_); });
  EXPECT_EQ(error.what(), "cannot replace " + output_.string());
  EXPECT_EQ(error.why(), "a file is there that has no manifest of ours (x.lq.json)");
  EXPECT_EQ(error.fix(), "choose another output with -o, or replace it with --force");
  EXPECT_EQ(read_file(output_), "precious");
  EXPECT_EQ(names_in(scratch_.path()), "x");
  StageOptions options;
  options.dry_run = true;
  EXPECT_THROW(run_toy(plan_, options), base::OutputError);
  options = {};
  options.force = true;
  run_toy(plan_, options);
  EXPECT_EQ(read_file(output_), expected_file(plan_));
}

TEST_F(UpToDate, AFileThatComesDuringTheRunIsLeftAloneToo) {
  ToyWork work(plan_);
  work.before = [this](std::size_t unit) {
    if (unit == 20) overwrite(output_, "precious");
  };
  ToyObserver observer;
  const auto error =
      error_of<base::OutputError>([&] { run_stage(plan_, StageOptions(), work, observer); });
  EXPECT_EQ(error.what(), "cannot replace " + output_.string());
  EXPECT_EQ(read_file(output_), "precious");
  // What was done is kept for the run after the file is out of the way.
  std::filesystem::remove(output_);
  EXPECT_EQ(run_toy(plan_).units_run, 0U);
  EXPECT_EQ(read_file(output_), expected_file(plan_));
}

TEST_F(UpToDate, AFileThatWasEditedIsLeftAlone) {
  run_toy(plan_);
  std::string bytes = read_file(output_);
  bytes[5] ^= 1;
  overwrite(output_, bytes);
  const auto error = error_of<base::OutputError>([this] { run_toy(plan_); });
  EXPECT_EQ(error.why(), output_.string() + " was changed after it was made");
  overwrite(output_, bytes + "more");
  EXPECT_THROW(run_toy(plan_), base::OutputError);
}

TEST_F(UpToDate, ATouchOrCopyIsNoEdit) {
  run_toy(plan_);
  io::set_mtime(output_, 1'700'000'000'000'000'000);
  EXPECT_EQ(run_toy(plan_).report.status[0], ResultStatus::kUpToDate);
  EXPECT_EQ(manifest()["outputs"][0]["mtime_ns"], 1'700'000'000'000'000'000);
}

TEST_F(UpToDate, AStopRequestEndsTheHashingOfATouchedResult) {
  run_toy(plan_);
  io::set_mtime(output_, 1'700'000'000'000'000'000);
  request_stop(StopReason::kTerminate);
  const auto error = [this] {
    try {
      run_toy(plan_);
    } catch (const Interrupted& interrupted) {
      return std::string(interrupted.what());
    }
    return std::string("nothing was thrown");
  }();
  request_stop(StopReason::kNone);
  EXPECT_EQ(error, "interrupted after 0 of 40 units; run the same command to continue");
}

TEST_F(UpToDate, ADirectoryInTheWayOfAFileIsNeverReplaced) {
  std::filesystem::create_directory(output_);
  StageOptions options;
  options.force = true;
  const auto error = error_of<base::OutputError>([&] { run_toy(plan_, options); });
  EXPECT_EQ(error.why(), output_.string() + " is a directory");
  EXPECT_EQ(error.fix(), "choose another output with -o");
}

TEST_F(UpToDate, AResultOfAnotherToolIsLeftAlone) {
  run_toy(plan_);
  nlohmann::json other = manifest();
  other["tool"] = "lq-fetch";
  overwrite(manifest_, other.dump());
  const auto error = error_of<base::OutputError>([this] { run_toy(plan_); });
  EXPECT_EQ(error.why(), "it was made by lq-fetch");
}

TEST_F(UpToDate, DamagedManifestsAreNotOurs) {
  run_toy(plan_);
  for (const char* text : {"", "[]", "{", "{\"schema\":\"lq-manifest/2\"}", "{\"schema\":3}"}) {
    overwrite(manifest_, text);
    EXPECT_THROW(run_toy(plan_), base::OutputError) << text;
  }
}

TEST_F(UpToDate, ManifestValuesOfAnotherTypeAreUnknown) {
  run_toy(plan_);
  nlohmann::json damaged = manifest();
  damaged["time"] = 5;
  damaged["version"] = nullptr;
  damaged["format_version"] = "x";
  damaged["options"] = 7;
  damaged["inputs"] = {5, {{"role", 5}, {"content_id", {}}}, "x"};
  overwrite(manifest_, damaged.dump());
  StageOptions dry;
  dry.dry_run = true;
  EXPECT_EQ(run_toy(plan_, dry).observer.messages.at(0),
            "up to date (made unknown by lq-toy unknown)");
  damaged["fingerprint"] = "other";
  overwrite(manifest_, damaged.dump());
  EXPECT_EQ(run_toy(plan_).observer.messages.at(0),
            "rebuilding: format version 0 -> 1; option  7 -> not given; option type not given -> "
            "q4_k_m; input  removed; input model added");
}

TEST_F(UpToDate, ListsOfOptionsNeedNotBeUtf8) {
  nlohmann::json old = identity_of(plan_.results[0]);
  old["options"]["type"] = {"\xff"};
  EXPECT_EQ(differences(old, plan_.results[0]), "option type [\"\xEF\xBF\xBD\"] -> q4_k_m");
}

TEST_F(UpToDate, ManifestEntriesOutsideTheResultDoNotCount) {
  const nlohmann::json hostile = {
      {"outputs",
       {{{"path", "../a"}, {"size", 1}, {"mtime_ns", 1}, {"sha256", ""}},
        {{"path", "/a"}, {"size", 1}, {"mtime_ns", 1}, {"sha256", ""}},
        {{"path", 5}},
        {{"path", "ok"}, {"size", 1}, {"mtime_ns", 1}, {"sha256", ""}}}}};
  ASSERT_EQ(recorded_outputs(hostile).size(), 1U);
  EXPECT_EQ(recorded_outputs(hostile)[0].path, "ok");
}

TEST(Fingerprint, CountsContentsAndOptionsButNotPathsTimesOrKeyOrder) {
  ResultPlan a;
  a.tool = "t";
  a.options = {{"x", 1}, {"y", 2}};
  a.inputs = {{"model", "/p", {{"/p/f", 1, 2, ""}}, "id", nullptr}};
  ResultPlan b = a;
  b.options = {{"y", 2}, {"x", 1}};
  b.inputs[0].path = "/q";
  b.inputs[0].files[0].mtime_ns = 9;
  b.path = "elsewhere";
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  EXPECT_EQ(a.fingerprint().size(), 64U);
  b.inputs[0].content_id = "other";
  EXPECT_NE(a.fingerprint(), b.fingerprint());
  b = a;
  b.format_version = 2;
  EXPECT_NE(a.fingerprint(), b.fingerprint());
  b = a;
  b.options["x"] = 3;
  EXPECT_NE(a.fingerprint(), b.fingerprint());
}

}  // namespace
}  // namespace lq::stage::testing
