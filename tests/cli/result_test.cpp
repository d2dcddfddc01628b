#include "common/cli/result.h"

#include <gtest/gtest.h>

#include "tests/cli/toy_tool.h"
#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

stage::StageReport report_of(stage::ResultStatus status) {
  stage::StageReport report;
  report.status = {status};
  report.paths = {"/made/toy"};
  report.manifests = {"/made/toy.lq.json"};
  report.seconds = 2;
  report.cpu_seconds = 3;
  report.read_bytes = 100;
  report.written_bytes = 30;
  report.peak_rss = 4096;
  report.bound_by = "disk";
  return report;
}

TEST(ResultOf, AMadeResultIsItsPath) {
  const ToolResult result = result_of(toy_plan({10, 20}), report_of(stage::ResultStatus::kMade));
  EXPECT_EQ(render(result, "lq-toy", false, false, 2), "/made/toy\n");
  EXPECT_EQ(render(result, "lq-toy", true, false, 2.5),
            R"({"schema":"lq-result/1","tool":"lq-toy","status":"made","path":"/made/toy",)"
            R"("manifest":"/made/toy.lq.json","cpu_seconds":3.0,"read_bytes":100,)"
            R"("written_bytes":30,"peak_rss":4096,"bound_by":"disk","seconds":2.5})"
            "\n");
}

TEST(ResultOf, AnUpToDateResultSaysSo) {
  const ToolResult result = result_of(toy_plan({10}), report_of(stage::ResultStatus::kUpToDate));
  EXPECT_EQ(result.status, "uptodate");
  EXPECT_EQ(render(result, "lq-toy", false, false, 0), "/made/toy\n");
  EXPECT_FALSE(result.json.contains("read_bytes"));
}

TEST(ResultOf, SeveralResultsAreListedInOrder) {
  stage::Plan plan = toy_plan({10});
  plan.results.push_back(plan.results[0]);
  stage::StageReport report = report_of(stage::ResultStatus::kUpToDate);
  report.status.push_back(stage::ResultStatus::kMade);
  report.paths.emplace_back("/made/other");
  report.manifests.emplace_back();
  const ToolResult result = result_of(plan, report);
  EXPECT_EQ(result.status, "made");
  EXPECT_EQ(render(result, "lq-toy", false, false, 0), "/made/toy\n/made/other\n");
  EXPECT_EQ(result.json["path"], "/made/toy");
  EXPECT_EQ(result.json["outputs"].dump(),
            R"([{"path":"/made/toy","manifest":"/made/toy.lq.json"},)"
            R"({"path":"/made/other","manifest":null}])");
}

TEST(ResultOf, ADryRunDescribesThePlan) {
  stage::Plan plan = toy_plan({1024, 1024});
  plan.read_bytes = 4096;
  plan.memory_bytes = 1 << 20;
  const ToolResult result = result_of(plan, report_of(stage::ResultStatus::kPlanned), 75);
  EXPECT_EQ(render(result, "lq-toy", false, false, 0),
            "/made/toy: 2.00 KiB\nunits of work: 2\nreads: 4.00 KiB\nwrites: 2.00 KiB\n"
            "memory: 1.00 MiB\ntime: about 1:15\n");
  EXPECT_EQ(render(result, "lq-toy", true, false, 0),
            R"({"schema":"lq-result/1","tool":"lq-toy","status":"planned","path":"/made/toy",)"
            R"("outputs":[{"path":"/made/toy","bytes":2048,"status":"planned"}],"units":2,)"
            R"("read_bytes":4096,"write_bytes":2048,"memory_bytes":1048576,)"
            R"("estimated_seconds":75.0,"seconds":0.0})"
            "\n");
}

TEST(ResultOf, NamesTargetsAndEveryInputFileOnce) {
  stage::Plan plan = toy_plan({10});
  stage::Input input;
  for (const char* path : {"/m/a", "/m/b", "/m/a"}) {
    input.files.emplace_back();
    input.files.back().path = path;
  }
  plan.results[0].inputs = {input};
  const ToolResult made = result_of(plan, report_of(stage::ResultStatus::kMade));
  EXPECT_EQ(made.targets, (std::vector<std::string>{"/made/toy"}));
  EXPECT_EQ(made.dependencies, (std::vector<std::string>{"/m/a", "/m/b"}));
  EXPECT_TRUE(result_of(plan, report_of(stage::ResultStatus::kShardDone)).targets.empty());
  EXPECT_TRUE(result_of(plan, report_of(stage::ResultStatus::kPlanned)).targets.empty());
}

TEST(Render, EndsPathsWithNulOnRequest) {
  ToolResult result;
  result.lines = {"/a\nb", "/c"};
  result.lines_are_paths = true;
  EXPECT_EQ(render(result, "lq-toy", false, true, 0), std::string("/a\nb\0/c\0", 8));
  const auto error =
      testing::error_of<base::UsageError>([&] { render(result, "lq-toy", false, false, 0); });
  EXPECT_STREQ(error.what(), "cannot print the path /a\\x0Ab");
  EXPECT_EQ(error.fix(), "add --null (-0), or choose another name with --output");
}

TEST(Render, LeavesTheLinesOfAReportAlone) {
  ToolResult result;
  result.lines = {"name: toy", "parts: 3"};
  EXPECT_EQ(render(result, "lq-toy", false, true, 0), "name: toy\nparts: 3\n");
}

TEST(RenderFailure, HoldsTheError) {
  EXPECT_EQ(render_failure(base::BusyError("what", "why", "fix"), "lq-toy", 0.5),
            R"({"schema":"lq-result/1","tool":"lq-toy","status":"failed","error":)"
            R"({"code":10,"what":"what","why":"why","fix":"fix","detail":{}},"seconds":0.5})"
            "\n");
}

TEST(JsonLine, SurvivesBytesThatAreNoUtf8) {
  EXPECT_EQ(json_line({{"path", "a\xFF\n"}}), "{\"path\":\"a\xEF\xBF\xBD\\n\"}");
}

}  // namespace
}  // namespace lq::cli
