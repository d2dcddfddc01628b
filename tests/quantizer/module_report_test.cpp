#include "common/quantizer/module_report.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

#include "common/base/errors.h"
#include "tests/support/scratch.h"

namespace lq::quantizer {
namespace {

using testing::error_of;
using testing::ScratchDirectory;

ModuleReport solved() {
  ModuleReport report;
  report.module = "model.layers.0.mlp.down_proj";
  report.bits = 3;
  report.group_size = 64;
  report.method = "solved";
  report.error = 0.003;
  report.error_of_rounding = 0.012;
  report.energy = 8;
  report.saturation = 0.126;
  report.damping = 0.01;
  report.dead_columns = 5;
  report.rounded_rows = 2;
  report.correction = 0.5;
  report.note = "a note";
  report.seconds = 1.25;
  return report;
}

ModuleReport rounded() {
  ModuleReport report;
  report.module = "lm_head";
  report.bits = 8;
  report.method = "rounded";
  return report;
}

TEST(ModuleReport, IsReadBackFromJson) {
  for (const ModuleReport& report : {solved(), rounded()}) {
    const auto json = to_json(report);
    EXPECT_EQ(to_json(report_from_json(json)), json);
  }
  const auto json = to_json(solved());
  EXPECT_EQ(json["module"], "model.layers.0.mlp.down_proj");
  EXPECT_EQ(json["correction"], 0.5);
  EXPECT_EQ(json["note"], "a note");
  EXPECT_FALSE(to_json(rounded()).contains("correction"));
  EXPECT_FALSE(to_json(rounded()).contains("note"));
  EXPECT_THROW(report_from_json({{"module", "x"}}), nlohmann::json::exception);
}

TEST(ModuleReport, TellsWhatBecameOfAModule) {
  EXPECT_EQ(describe(solved()),
            "model.layers.0.mlp.down_proj: output error 0.003, 0.25 of rounding's; 12.6 % of the "
            "codes at an end; damping 0.01; 5 dead columns; 2 rows rounded; correction 0.50; a "
            "note; 1.25 s");
  EXPECT_EQ(describe(rounded()),
            "lm_head: rounded to nearest; 0.0 % of the codes at an end; 0.00 s");
  ModuleReport report = rounded();
  report.module = "a\nb";
  EXPECT_TRUE(describe(report).starts_with("a\\x0Ab: ")) << describe(report);
}

TEST(ReportSummary, WeighsErrorsByEnergy) {
  ModuleReport other = solved();
  other.error = 0.5;
  other.error_of_rounding = 1;
  other.energy = 24;
  const ReportSummary summary = summary_of({solved(), rounded(), other});
  EXPECT_EQ(summary.n_solved, 2U);
  EXPECT_EQ(summary.n_rounded, 1U);
  EXPECT_DOUBLE_EQ(summary.error, (8 * 0.003 + 24 * 0.5) / 32);
  EXPECT_DOUBLE_EQ(summary.error_of_rounding, (8 * 0.012 + 24) / 32);
  EXPECT_DOUBLE_EQ(summary.ratio(), summary.error / summary.error_of_rounding);
}

TEST(ReportSummary, OfNothingIsZero) {
  for (const std::vector<ModuleReport>& reports :
       {std::vector<ModuleReport>{}, std::vector<ModuleReport>{rounded()}}) {
    const ReportSummary summary = summary_of(reports);
    EXPECT_EQ(summary.n_solved, 0U);
    EXPECT_EQ(summary.error, 0);
    EXPECT_EQ(summary.ratio(), 0);
  }
  ModuleReport silent = solved();
  silent.energy = silent.error = silent.error_of_rounding = 0;
  EXPECT_EQ(summary_of({silent}).error, 0);
}

class Folder : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return scratch_.path() / "report-00007.json"; }

  const ScratchDirectory scratch_;
  const ReportFolder folder_{scratch_.path(), "run 1"};
};

TEST_F(Folder, GivesBackWhatWasKept) {
  folder_.keep(7, {solved(), rounded()});
  folder_.keep(8, {});
  const std::vector<ModuleReport> reports = folder_.take(7);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(to_json(reports[0]), to_json(solved()));
  EXPECT_EQ(to_json(reports[1]), to_json(rounded()));
  EXPECT_TRUE(folder_.take(8).empty());
  folder_.keep(7, {rounded()});
  EXPECT_EQ(folder_.take(7).size(), 1U);
}

TEST_F(Folder, FindsNothingThatIsNotThereOrDamagedOrOfAnotherRun) {
  EXPECT_EQ(folder_.find(7), std::nullopt);
  folder_.keep(7, {solved()});
  EXPECT_EQ(ReportFolder(scratch_.path(), "run 2").find(7), std::nullopt);
  std::filesystem::copy_file(file(), scratch_.path() / "report-00009.json");
  EXPECT_EQ(folder_.find(9), std::nullopt);
  EXPECT_NE(folder_.find(7), std::nullopt);
  std::fstream(file(), std::ios::in | std::ios::out) << "damage";
  EXPECT_EQ(folder_.find(7), std::nullopt);
  std::filesystem::resize_file(file(), 10);
  EXPECT_EQ(folder_.find(7), std::nullopt);
}

TEST_F(Folder, SaysWhichReportIsMissing) {
  const auto error = error_of<base::CheckpointError>([&] { folder_.take(7); });
  EXPECT_STREQ(error.what(), "cannot finish the unfinished result");
  EXPECT_EQ(error.why(),
            file().string() + " is gone or damaged, which earlier runs have left there");
  EXPECT_EQ(error.fix(), "begin anew with --no-resume");
}

TEST_F(Folder, IsMadeWhereItIsNotThereAndCannotBeAFile) {
  const ReportFolder made(scratch_.path() / "made", "run 1");
  made.keep(1, {});
  EXPECT_TRUE(made.take(1).empty());
  const ReportFolder in_the_way(scratch_.write("file", ""), "run 1");
  EXPECT_THROW(in_the_way.keep(1, {}), base::OutputError);
}

}  // namespace
}  // namespace lq::quantizer
