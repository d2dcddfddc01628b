#include "common/stage/preflight.h"

#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/io/file_status.h"
#include "common/stage/run_stage.h"
#include "tests/stage/toy.h"

namespace lq::stage::testing {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using lq::testing::ScratchDirectory;

class Preflight : public ::testing::Test {
 protected:
  Plan plan_with_input(const std::filesystem::path& output, const std::filesystem::path& input,
                       const std::filesystem::path& file) {
    Plan plan = toy_plan(output);
    plan.results[0].inputs = {{"model", input, {{file, 1, 1, ""}}, "id", nullptr}};
    return plan;
  }
  ScratchDirectory scratch_;
  std::filesystem::path here_ = scratch_.path();
};

TEST_F(Preflight, RefusesAnOutputThatIsAnInput) {
  const auto file = scratch_.write("a.gguf", "input");
  std::filesystem::create_hard_link(file, here_ / "link.gguf");
  for (const char* name : {"a.gguf", "link.gguf"}) {
    const auto error =
        error_of<base::UsageError>([&] { run_toy(plan_with_input(here_ / name, file, file)); });
    EXPECT_EQ(error.what(), "cannot write " + (here_ / name).string());
    EXPECT_EQ(error.why(), "it is the input " + file.string());
    EXPECT_EQ(error.fix(), "choose another output with -o");
  }
  EXPECT_EQ(read_file(file), "input");
}

TEST_F(Preflight, RefusesAnOutputInsideTheInputDirectory) {
  const auto file = scratch_.write("model/config.json", "{}");
  const auto model = file.parent_path();
  const auto error = error_of<base::UsageError>(
      [&] { run_toy(plan_with_input(model / "out.gguf", model, file)); });
  EXPECT_EQ(error.why(), "it lies inside the input directory " + model.string());
  std::filesystem::create_directory_symlink(model, here_ / "alias");
  EXPECT_THROW(run_toy(plan_with_input(here_ / "alias/out.gguf", model, file)), base::UsageError);
  run_toy(plan_with_input(here_ / "model-Q4.gguf", model, file));
}

TEST_F(Preflight, RefusesADepfileThatIsAnInputOrTheResult) {
  const auto file = scratch_.write("model/config.json", "{}");
  const auto model = file.parent_path();
  const Plan plan = plan_with_input(here_ / "out.gguf", model, file);
  const auto why = [&](const char* name) {
    return error_of<base::UsageError>([&] { check_side_file(plan, here_ / name, "--depfile"); })
        .why();
  };
  const std::string inside = "it lies inside the input directory " + model.string();
  EXPECT_EQ(why("model/config.json"), inside);
  EXPECT_EQ(why("model/new.d"), inside);
  EXPECT_EQ(why("out.gguf"), "it is the result's own " + (here_ / "out.gguf").string());
  EXPECT_EQ(why("out.gguf.lq.json"),
            "it is the result's own " + (here_ / "out.gguf.lq.json").string());
  EXPECT_EQ(why("./out.gguf.lq-journal"),
            "it is the result's own " + (here_ / "out.gguf.lq-journal").string());
  const auto imatrix = scratch_.write("im.dat", "");
  const Plan other = plan_with_input(here_ / "out.gguf", imatrix, imatrix);
  EXPECT_EQ(error_of<base::UsageError>([&] { check_side_file(other, imatrix, "--depfile"); }).why(),
            "it is the input " + imatrix.string());
  EXPECT_THROW(check_side_file(plan, here_ / "nowhere/out.d", "--depfile"), base::OutputError);
  check_side_file(plan, here_ / "out.d", "--depfile");
}

TEST_F(Preflight, RefusesASideFileInsideADirectoryThatIsTheResult) {
  const Plan plan = toy_plan(here_ / "out", {.kind = ResultKind::kDirectory});
  for (const bool there : {false, true}) {
    if (there) std::filesystem::create_directories(here_ / "out");
    const auto error = error_of<base::UsageError>(
        [&] { check_side_file(plan, here_ / "out/im.gguf", "--imatrix"); });
    EXPECT_EQ(error.what(), "cannot write " + (here_ / "out/im.gguf").string());
    EXPECT_EQ(error.why(), "it lies inside the result " + (here_ / "out").string());
    EXPECT_EQ(error.fix(), "choose another --imatrix");
    EXPECT_THROW(check_side_file(plan, here_ / "out.lq-part/im.gguf", "--imatrix"),
                 base::UsageError);
  }
  check_side_file(plan, here_ / "out.gguf", "--imatrix");
}

TEST_F(Preflight, RefusesANameThatLeavesNoRoomForThoseBesideIt) {
  const std::string name(216, 'n');
  const auto error = error_of<base::OutputError>([&] { run_toy(toy_plan(here_ / name)); });
  EXPECT_EQ(error.why(),
            "its name has 216 bytes, and files beside it need names 40 longer, up to 255");
  EXPECT_EQ(error.fix(), "choose a shorter name with -o");
  EXPECT_TRUE(std::filesystem::is_empty(here_));
  run_toy(toy_plan(here_ / std::string(215, 'n')));
}

TEST_F(Preflight, RefusesAnOutputDirectoryThatHoldsTheInput) {
  const auto file = scratch_.write("all/model/config.json", "{}");
  Plan plan = toy_plan(here_ / "all", {.kind = ResultKind::kDirectory});
  plan.results[0].inputs = {{"model", here_ / "all/model", {{file, 1, 1, ""}}, "id", nullptr}};
  const auto error = error_of<base::UsageError>([&] { run_toy(plan); });
  EXPECT_EQ(error.why(), "it holds the input " + file.string());
}

TEST_F(Preflight, RefusesMoreMemoryThanThereIsAndAdvises) {
  Plan plan = toy_plan(here_ / "x");
  plan.memory_bytes = 3 << 20;
  plan.memory_advice = "lower --threads to 1";
  StageOptions options;
  options.memory_limit = 1 << 20;
  auto error = error_of<base::OutOfMemoryError>([&] { run_toy(plan, options); });
  EXPECT_STREQ(error.what(), "cannot start: memory is too small");
  EXPECT_EQ(error.why(), "3.00 MiB are needed and 1.00 MiB are available");
  EXPECT_EQ(error.fix(), "lower --threads to 1");
  EXPECT_EQ(names_in(here_), "");
  plan.memory_advice = "";
  error = error_of<base::OutOfMemoryError>([&] { run_toy(plan, options); });
  EXPECT_EQ(error.fix(), "use a machine with more memory, or raise the limit with --memory");
}

TEST_F(Preflight, NamesAMissingDirectoryAndTheCommandThatMakesIt) {
  const auto error = error_of<base::OutputError>([&] { run_toy(toy_plan(here_ / "no such/x")); });
  EXPECT_EQ(error.what(), "cannot write " + (here_ / "no such/x").string());
  EXPECT_NE(error.why().find("No such file or directory"), std::string::npos);
  EXPECT_EQ(error.fix(),
            "make the directory first: mkdir -p '" + (here_ / "no such").string() + "'");
  scratch_.write("file", "");
  EXPECT_THROW(run_toy(toy_plan(here_ / "file/x")), base::OutputError);
}

TEST_F(Preflight, RefusesADirectoryThatCannotBeWritten) {
  using std::filesystem::perms;
  std::filesystem::permissions(
      here_, perms::owner_read | perms::owner_exec | perms::others_read | perms::others_exec);
  const bool root = ::geteuid() == 0;  // may write everywhere, so it steps down
  ASSERT_EQ(root ? ::seteuid(65534) : 0, 0);
  const auto error = error_of<base::OutputError>([this] { run_toy(toy_plan(here_ / "x")); });
  ASSERT_EQ(root ? ::seteuid(0) : 0, 0);
  std::filesystem::permissions(here_, perms::owner_all);
  EXPECT_EQ(error.what(), "cannot write " + (here_ / "x").string());
  EXPECT_NE(error.why().find("Permission denied"), std::string::npos);
  EXPECT_EQ(error.fix(), "check who may write there (ls -ld " + here_.string() +
                             "), or choose another place with -o");
}

TEST_F(Preflight, RefusesAResultLargerThanTheDiskBeforeWork) {
  Plan plan = toy_plan(here_ / "x");
  plan.results[0].files[0].size = std::uint64_t{1} << 60;
  const auto error = error_of<base::OutputError>([&] { run_toy(plan); });
  EXPECT_EQ(error.what(), "cannot write " + (here_ / "x").string());
  EXPECT_NE(error.why().find("the disk is too small: "), std::string::npos);
  EXPECT_NE(error.why().find(" are free in " + here_.string()), std::string::npos);
  EXPECT_EQ(names_in(here_), "");
  StageOptions options;
  options.dry_run = true;
  EXPECT_THROW(run_toy(plan, options), base::OutputError);
}

TEST_F(Preflight, AddsUpResultsOnOneDisk) {
  const std::uint64_t free = *io::free_space(here_);
  Plan plan = toy_plan(here_ / "x");
  add_result(plan, here_ / "y");
  for (ResultPlan& result : plan.results) result.files[0].size = free / 3 * 2;
  EXPECT_THROW(run_toy(plan), base::OutputError);
  EXPECT_EQ(names_in(here_), "");
}

TEST_F(Preflight, CountsWhatThePartAlreadyTakes) {
  const Plan plan = toy_plan(here_ / "x", {.unit_bytes = 100'000});
  run_partly(plan, 10);
  const ResultPaths paths = paths_of(plan.results[0], {});
  ASSERT_GE(io::file_status(paths.part)->allocated_bytes, plan.results[0].files[0].size);
  run_toy(plan);
}

TEST_F(Preflight, RefusesAFileAboveTheProcessLimit) {
  struct rlimit old = {};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const struct rlimit small = {20'000, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto error = error_of<base::OutputError>([&] { run_toy(toy_plan(here_ / "x")); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_NE(error.why().find("File too large"), std::string::npos);
  EXPECT_NE(error.fix().find("ulimit -f unlimited"), std::string::npos);
  EXPECT_EQ(names_in(here_), "");
}

TEST_F(Preflight, OverlappingOrOutlyingUnitsAreOurFault) {
  Plan plan = toy_plan(here_ / "x");
  plan.units[3].extents[0].offset -= 30;
  EXPECT_THROW(run_toy(plan), std::logic_error);
  plan = toy_plan(here_ / "x");
  plan.units[39].extents[0].size += 25;
  EXPECT_THROW(run_toy(plan), std::logic_error);
}

}  // namespace
}  // namespace lq::stage::testing
