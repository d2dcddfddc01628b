// What a later run makes of parts and journals in every condition.

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

class Resume : public ::testing::Test {
 protected:
  Resume() : plan_(toy_plan(scratch_.path() / "x")) {}

  void expect_finishes(std::size_t units_run, const StageOptions& options = {}) {
    const ToyRun run = run_toy(plan_, options);
    EXPECT_EQ(run.units_run, units_run);
    EXPECT_EQ(read_file(plan_.results[0].path), expected_file(plan_));
    EXPECT_EQ(names_in(scratch_.path()), "x x.lq.json");
    observer_ = run.observer;
  }

  std::vector<std::string> journal_lines() {
    std::vector<std::string> lines;
    std::istringstream text(read_file(journal_));
    for (std::string line; std::getline(text, line);) lines.push_back(line + "\n");
    return lines;
  }

  ScratchDirectory scratch_;
  Plan plan_;
  std::filesystem::path part_ = scratch_.path() / "x.lq-part";
  std::filesystem::path journal_ = scratch_.path() / "x.lq-journal";
  ToyObserver observer_;
};

TEST_F(Resume, TakesUpWhereAnInterruptedRunStopped) {
  run_partly(plan_, 15);
  EXPECT_EQ(names_in(scratch_.path()), "x.lq-journal x.lq-part");
  EXPECT_EQ(io::file_status(part_)->size, plan_.results[0].files[0].size);
  expect_finishes(25);
  EXPECT_EQ(observer_.messages.at(0), "resuming: 15 of 40 units are kept");
  EXPECT_EQ(observer_.kept, 15U);
}

TEST_F(Resume, IgnoresATornLastLineAtEveryLength) {
  run_partly(plan_, 5);
  const std::string journal = read_file(journal_), part = read_file(part_);
  const std::size_t last = journal_lines().back().size();
  for (std::size_t cut = 1; cut <= last; cut += 13) {
    overwrite(journal_, journal.substr(0, journal.size() - cut));
    overwrite(part_, part);
    expect_finishes(36);
    std::filesystem::remove(plan_.results[0].path);
    std::filesystem::remove(scratch_.path() / "x.lq.json");
  }
}

TEST_F(Resume, AppendsAfterATornLineSoThatTheNextRunReadsIt) {
  run_partly(plan_, 5);
  overwrite(journal_, read_file(journal_) + "{\"unit\":");
  run_partly(plan_, 5);
  expect_finishes(30);
}

TEST_F(Resume, StartsFreshFromATornFirstLine) {
  run_partly(plan_, 5);
  overwrite(journal_, read_file(journal_).substr(0, 50));
  expect_finishes(40);
}

TEST_F(Resume, RefusesABrokenLineThatIsNotTheLast) {
  run_partly(plan_, 5);
  std::vector<std::string> lines = journal_lines();
  for (const std::size_t broken : {std::size_t{0}, std::size_t{2}}) {
    std::string text;
    for (std::size_t line = 0; line < lines.size(); ++line) {
      std::string copy = lines[line];
      if (line == broken) copy[20] ^= 1;
      text += copy;
    }
    overwrite(journal_, text);
    const auto error = error_of<base::CheckpointError>([this] { run_toy(plan_); });
    EXPECT_EQ(error.what(), "cannot continue from " + journal_.string());
    EXPECT_EQ(error.why(), "line " + std::to_string(broken + 1) + " does not match its checksum");
    EXPECT_EQ(error.fix(), "discard the checkpoint and start again with --force");
  }
  StageOptions force;
  force.force = true;
  expect_finishes(40, force);
}

TEST_F(Resume, RefusesAJournalOfOtherOptionsAndSaysWhich) {
  run_partly(plan_, 5);
  const std::string before = read_file(journal_);
  const Plan other = toy_plan(scratch_.path() / "x", {.type = "q5_k_m"});
  const auto error = error_of<base::CheckpointError>([&] { run_toy(other); });
  EXPECT_EQ(error.what(), "cannot continue the unfinished " + other.results[0].path.string());
  EXPECT_EQ(error.why(), "it was begun with other inputs or options: option type q4_k_m -> q5_k_m");
  EXPECT_EQ(error.fix(), "restore the old ones, or discard what was done with --force");
  EXPECT_EQ(read_file(journal_), before);
  plan_ = other;
  StageOptions force;
  force.force = true;
  expect_finishes(40, force);
}

TEST_F(Resume, DryRunMeetsTheSameCheckpointError) {
  run_partly(plan_, 5);
  const Plan other = toy_plan(scratch_.path() / "x", {.type = "q5_k_m"});
  StageOptions options;
  options.dry_run = true;
  EXPECT_THROW(run_toy(other, options), base::CheckpointError);
}

TEST_F(Resume, RefusesAJournalOfANewerFormat) {
  run_partly(plan_, 5);
  nlohmann::json header =
      nlohmann::json::parse(journal_lines()[0].substr(0, journal_lines()[0].size() - 18));
  header["format"] = kJournalFormat + 1;
  header["version"] = "9.0";
  const std::string text = header.dump();
  overwrite(journal_, text + " " + hash_of(text).substr(0, 16) + "\n");
  const auto error = error_of<base::CheckpointError>([this] { run_toy(plan_); });
  EXPECT_EQ(error.why(), "it has format 2 of a newer version (9.0); this one knows format 1");
}

TEST_F(Resume, JournalValuesOfAnotherTypeAreUnknown) {
  run_partly(plan_, 5);
  const std::string text = R"({"fingerprint":5,"format":"x","inputs":3,"tool":[],"version":{}})";
  overwrite(journal_, text + " " + hash_of(text).substr(0, 16) + "\n");
  const auto error = error_of<base::CheckpointError>([this] { run_toy(plan_); });
  EXPECT_EQ(error.why(),
            "it was begun with other inputs or options: tool unknown -> lq-toy; format version 0 "
            "-> 1; option type not given -> q4_k_m; input  removed");
}

TEST_F(Resume, RefusesAJournalThatCannotBeRead) {
  run_partly(plan_, 5);
  std::filesystem::remove(journal_);
  std::filesystem::create_directory(journal_);
  const auto error = error_of<base::CheckpointError>([this] { run_toy(plan_); });
  EXPECT_EQ(error.what(), "cannot continue from " + journal_.string());
  EXPECT_EQ(error.why(), "Is a directory");
  EXPECT_EQ(error.fix(),
            "make it readable, or discard the checkpoint and start again with --force");
}

TEST_F(Resume, JournalsSayNothingThatNobodyReads) {
  run_partly(plan_, 1);
  const std::string header = journal_lines().at(0), unit = journal_lines().at(1);
  EXPECT_EQ(header.find("\"units\""), std::string::npos) << header;
  EXPECT_EQ(unit.find("\"unit\""), std::string::npos) << unit;
}

TEST_F(Resume, RedoesAUnitWhoseBytesDoNotMatchAndWarns) {
  run_partly(plan_, 5);
  std::string part = read_file(part_);
  part[plan_.units[3].extents[0].offset + 9] ^= 1;
  overwrite(part_, part);
  expect_finishes(36);
  ASSERT_EQ(observer_.warnings.size(), 1U);
  EXPECT_EQ(observer_.warnings[0],
            "making unit.3 again: its bytes in the unfinished result do not match the hash in "
            "the journal");
}

TEST_F(Resume, AcceptsARedoneUnitAfterAnotherInterruption) {
  run_partly(plan_, 5);
  std::string part = read_file(part_);
  part[plan_.units[3].extents[0].offset] ^= 1;
  overwrite(part_, part);
  run_partly(plan_, 1);
  expect_finishes(35);
  EXPECT_TRUE(observer_.warnings.empty());
}

TEST_F(Resume, RedoesWhatATruncatedPartHasLost) {
  run_partly(plan_, 20);
  std::filesystem::resize_file(part_, plan_.units[10].extents[0].offset);
  expect_finishes(30);
}

TEST_F(Resume, ZeroesStaleBytesOfAPartWithoutJournal) {
  overwrite(part_, std::string(100'000, 'z'));
  expect_finishes(40);
}

TEST_F(Resume, StartsFreshWithoutAPart) {
  run_partly(plan_, 5);
  std::filesystem::remove(part_);
  expect_finishes(40);
  EXPECT_TRUE(observer_.warnings.empty());
}

TEST_F(Resume, IgnoresAForeignJournalWithoutAPart) {
  run_partly(plan_, 5);
  std::filesystem::remove(part_);
  plan_ = toy_plan(scratch_.path() / "x", {.type = "q5_k_m"});
  expect_finishes(40);
}

TEST_F(Resume, NoResumeReplacesTheCheckpoint) {
  run_partly(plan_, 5);
  StageOptions options;
  options.resume = false;
  expect_finishes(40, options);
}

TEST_F(Resume, ForceKeepsAUsableCheckpoint) {
  run_partly(plan_, 5);
  StageOptions options;
  options.force = true;
  expect_finishes(35, options);
}

TEST_F(Resume, KeepsUnitsThatFitWhenTheWorkIsCutDifferently) {
  run_partly(plan_, 20);
  // Units 30 and 31 become one; the padding between them goes.
  Unit& first = plan_.units[30];
  first.extents[0].size += plan_.units[31].extents[0].size;
  plan_.units.erase(plan_.units.begin() + 31);
  expect_finishes(19);
}

TEST_F(Resume, RemovesTemporariesOfDeadRuns) {
  overwrite(scratch_.path() / ".x.lq.json.lq-tmp.0011", "dead");
  overwrite(scratch_.path() / ".x.lq-journal.lq-tmp.0011", "dead");
  expect_finishes(40);
}

}  // namespace
}  // namespace lq::stage::testing
