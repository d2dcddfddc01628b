// Directories of files whose size is known only once they are made, by units in order.

#include <gtest/gtest.h>

#include "common/io/file_status.h"
#include "common/stage/journal.h"
#include "common/stage/manifest.h"
#include "common/stage/run_stage.h"
#include "common/stage/scratch_file.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::read_file;
using lq::testing::ScratchDirectory;

/// Unit i makes "file<i>" of 1000 * i + 1 bytes; the first is a file of planned size.
Plan open_plan(const std::filesystem::path& path, std::size_t n = 5) {
  Plan plan;
  plan.tool = "lq-toy";
  plan.order = Order::kSequential;
  ResultPlan result;
  result.kind = ResultKind::kDirectory;
  result.path = path;
  result.tool = "lq-toy";
  result.options = {{"n", n}};
  result.scratch = "scratch";
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t size = i == 0 ? 1 : kOpenSize;
    result.files.push_back({"file" + std::to_string(i), size});
    plan.units.push_back({.name = "unit " + std::to_string(i), .extents = {{0, i, 0, size}}});
  }
  plan.results.push_back(std::move(result));
  return plan;
}

std::string content_of(std::size_t unit) {
  return std::string(1000 * unit + 1, static_cast<char>('a' + unit));
}

class OpenWork : public UnitWork {
 public:
  void run(std::size_t unit, UnitSink& sink) override {
    if (before) before(unit);
    units.push_back(unit);
    const std::string bytes = content_of(unit);
    sink.write(0, std::as_bytes(std::span(bytes)));
  }
  std::function<void(std::size_t)> before;
  std::vector<std::size_t> units;
};

class OpenFile : public ::testing::Test {
 protected:
  void run(const StageOptions& options = {}) {
    work_.units.clear();
    observer_ = {};
    run_stage(plan_, options, work_, observer_);
  }
  void run_until(std::size_t unit) {
    work_.before = [unit](std::size_t now) {
      if (now == unit) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(run(), std::runtime_error);
    work_.before = {};
  }
  void expect_complete() {
    std::string names;
    for (std::size_t i = 0; i < plan_.units.size(); ++i) {
      const std::string name = "file" + std::to_string(i);
      EXPECT_EQ(read_file(output_ / name), content_of(i)) << name;
      names += name + " ";
    }
    EXPECT_EQ(names_in(output_), names + "lq-manifest.json");
    EXPECT_EQ(names_in(scratch_.path()), "out");
  }

  ScratchDirectory scratch_;
  std::filesystem::path output_ = scratch_.path() / "out";
  std::filesystem::path part_ = scratch_.path() / "out.lq-part";
  Plan plan_ = open_plan(output_);
  OpenWork work_;
  ToyObserver observer_;
};

TEST_F(OpenFile, HasTheSizeThatItsUnitGivesIt) {
  StageOptions options;
  options.n_threads = 3;
  run(options);
  expect_complete();
  EXPECT_EQ(work_.units, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  const auto manifest = read_manifest(output_ / "lq-manifest.json");
  ASSERT_TRUE(manifest);
  const auto outputs = recorded_outputs(*manifest);
  ASSERT_EQ(outputs.size(), 5U);
  EXPECT_EQ(outputs[4].size, 4001U);
  EXPECT_EQ(outputs[4].sha256, hash_of(content_of(4)));
}

TEST_F(OpenFile, IsKeptWhenItIsWholeAndMadeAgainWhenItIsNot) {
  run_until(4);
  EXPECT_EQ(names_in(part_), "file0 file1 file2 file3 scratch");
  overwrite(part_ / "file1", "damaged");
  std::filesystem::remove(part_ / "file2");
  run();
  expect_complete();
  EXPECT_EQ(work_.units, (std::vector<std::size_t>{1, 2, 4}));
  EXPECT_EQ(observer_.warnings.size(), 2U);
  EXPECT_EQ(observer_.messages.at(0), "resuming: 2 of 5 units are kept");
}

TEST_F(OpenFile, UnitsBeforeAreRecordedWhenOneBegins) {
  work_.before = [&](std::size_t unit) {
    if (unit == 0) return;
    const JournalContents journal = read_journal(scratch_.path() / "out.lq-journal");
    EXPECT_EQ(journal.units.size(), unit);
  };
  run();
  EXPECT_EQ(work_.units.size(), 5U);
}

TEST_F(OpenFile, OfAnotherPlanDoesNotGetIntoTheResult) {
  plan_ = open_plan(output_, 6);
  run_until(6 - 1);
  plan_ = open_plan(output_, 3);
  StageOptions force;
  force.force = true;
  run(force);
  expect_complete();
}

TEST_F(OpenFile, LeavesNoTemporariesOfAKilledWrite) {
  run_until(2);
  overwrite(part_ / ".file3.lq-tmp.abcdef", "half");
  run();
  expect_complete();
}

TEST_F(OpenFile, ThatIsTemporaryIsForTheFinisherAlone) {
  Plan finisher = open_plan(output_);
  for (std::size_t i = 0; i < 2; ++i) {
    finisher.results[0].files.push_back({"scratch/sums" + std::to_string(i), kOpenSize});
    finisher.results[0].files.back().temporary = true;
  }
  plan_ = finisher;
  plan_.is_one_shard = true;
  plan_.units.clear();
  plan_.units.push_back({.name = "sums 1", .extents = {{0, 6, 0, kOpenSize}}});
  StageOptions shard;
  shard.shard = Shard{2, 2};
  run(shard);
  EXPECT_EQ(work_.units.size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(part_ / "scratch/sums1"));
  run(shard);
  EXPECT_TRUE(work_.units.empty());
  plan_ = finisher;
  work_.before = [&](std::size_t unit) {
    if (unit > 0) return;
    EXPECT_EQ(read_file(part_ / "scratch/sums1"), content_of(0));
  };
  run();
  EXPECT_EQ(work_.units.size(), 5U);
  expect_complete();
}

TEST_F(OpenFile, CountsWithItsExpectedSizeForTheDisk) {
  plan_.results[0].files[1].expected_size = std::uint64_t{1} << 60;
  const auto error = lq::testing::error_of<base::OutputError>([&] { run(); });
  EXPECT_NE(error.why().find("the disk is too small"), std::string::npos) << error.why();
  plan_ = open_plan(output_);
  plan_.results[0].scratch_bytes = std::uint64_t{1} << 60;
  EXPECT_THROW(run(), base::OutputError);
}

TEST_F(OpenFile, ScratchOfKilledWritersIsRemovedBeforeTheNextRunWorks) {
  run_until(2);
  {
    ScratchWriter writer(part_ / "scratch/sub/whole", "tag");
    writer.finish();
  }
  overwrite(part_ / "scratch/sub/.states.lq-tmp.0123456789abcdef", "half");
  work_.before = [&](std::size_t) { EXPECT_EQ(names_in(part_ / "scratch/sub"), "whole"); };
  run();
  expect_complete();
}

class ScratchFile : public ::testing::Test {
 protected:
  std::string content() {
    const auto file = ScratchReader::open(path_, "tag");
    if (!file) return "none";
    std::string text(file->size(), '\0');
    file->read_at(0, std::as_writable_bytes(std::span(text)));
    return text;
  }

  ScratchDirectory scratch_;
  std::filesystem::path path_ = scratch_.path() / "sub/file";
};

TEST_F(ScratchFile, ComesBackAsItWasWritten) {
  ScratchWriter writer(path_, "tag");
  writer.write(std::as_bytes(std::span("some ", 5)));
  writer.write(std::as_bytes(std::span("text", 4)));
  EXPECT_EQ(content(), "none");
  writer.finish();
  EXPECT_EQ(content(), "some text");
  EXPECT_FALSE(ScratchReader::open(path_, "another"));
  EXPECT_EQ(names_in(path_.parent_path()), "file");
}

TEST_F(ScratchFile, MayBeWrittenInOneWithItsTrailer) {
  const std::string text = "some text";
  std::filesystem::create_directory(path_.parent_path());
  overwrite(path_, text + scratch_trailer(std::as_bytes(std::span(text)), "tag"));
  EXPECT_EQ(content(), text);
}

TEST_F(ScratchFile, IsNotTakenWhenAnyByteIsWrongOrMissing) {
  {
    ScratchWriter writer(path_, "tag");
    writer.write(std::as_bytes(std::span("some text", 9)));
    writer.finish();
  }
  const std::string whole = read_file(path_);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    overwrite(path_, damaged);
    EXPECT_EQ(content(), "none") << i;
    overwrite(path_, whole.substr(0, i));
    EXPECT_EQ(content(), "none") << i;
  }
}

TEST_F(ScratchFile, LeavesNothingUnlessFinished) {
  { const ScratchWriter writer(path_, "tag"); }
  EXPECT_EQ(names_in(path_.parent_path()), "");
}

TEST_F(ScratchFile, OfTwoWritersOneDoes) {
  ScratchWriter first(path_, "tag"), second(path_, "tag");
  for (ScratchWriter* writer : {&first, &second}) {
    writer->write(std::as_bytes(std::span("some text", 9)));
    writer->finish();
  }
  EXPECT_EQ(content(), "some text");
}

}  // namespace
}  // namespace lq::stage::testing
