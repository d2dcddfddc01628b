#include "common/cli/common_options.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

#include "common/parallel/memory.h"
#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using base::UsageError;
using testing::error_of;

class CommonOptionsTest : public ::testing::Test {
 protected:
  CommonOptionsTest() { declare_common(table_, true, common_, session_, environment_); }
  void set(const std::string& name, const std::string& value) { table_.find(name)->set(value); }

  const base::Environment environment_;
  CommonOptions common_;
  SessionOptions session_;
  OptionTable table_;
};

TEST_F(CommonOptionsTest, ReachTheStage) {
  set("threads", "3");
  set("memory", "4G");
  set("force", "true");
  set("dry-run", "true");
  set("no-resume", "true");
  set("shard", "2/3");
  set("checkpoint-dir", "/scratch");
  set("tmp-dir", "/tmp/x");
  set("time-limit", "15m");
  set("wait", "30");
  EXPECT_EQ(common_.stage.n_threads, 3);
  EXPECT_EQ(common_.stage.memory_limit, 4ULL << 30U);
  EXPECT_TRUE(common_.stage.force);
  EXPECT_TRUE(common_.stage.dry_run);
  EXPECT_FALSE(common_.stage.resume);
  EXPECT_EQ(common_.stage.shard->index, 2);
  EXPECT_EQ(common_.stage.shard->count, 3);
  EXPECT_EQ(common_.stage.checkpoint_dir, "/scratch");
  EXPECT_EQ(common_.tmp_dir, "/tmp/x");
  EXPECT_EQ(common_.stage.time_limit_seconds, 900);
  EXPECT_EQ(common_.stage.wait_seconds, 30);
}

TEST_F(CommonOptionsTest, WaitForEverWithoutANumber) {
  set("wait", "");
  EXPECT_EQ(common_.stage.wait_seconds, std::numeric_limits<double>::infinity());
  EXPECT_EQ(table_.find("wait")->get(), "inf");
  set("wait", "inf");  // what --print-config shows is read back
}

TEST_F(CommonOptionsTest, CountQuietAndVerbose) {
  set("verbose", "true");
  set("verbose", "true");
  set("verbose", "true");
  EXPECT_EQ(session_.verbosity, kDebug);
  set("quiet", "true");
  EXPECT_EQ(session_.verbosity, kQuiet);
  set("quiet", "true");
  EXPECT_EQ(session_.verbosity, kErrorsOnly);
  set("verbose", "false");
  EXPECT_EQ(session_.verbosity, kErrorsOnly);
  set("verbosity", "verbose");
  EXPECT_EQ(session_.verbosity, kVerbose);
  EXPECT_EQ(table_.find("verbosity")->get(), "verbose");
}

TEST_F(CommonOptionsTest, ThatCanBeSetCanBeShown) {
  for (const Option& option : table_.options()) {
    EXPECT_FALSE(option.help.empty()) << option.name;
    if (option.in_recipes && option.counts_as.empty()) {
      ASSERT_TRUE(option.get) << option.name;
      option.get();
    }
  }
}

TEST(CommonOptions, OfAReportToolAreAboutNoResult) {
  CommonOptions common;
  SessionOptions session;
  OptionTable table;
  const base::Environment environment;
  declare_common(table, false, common, session, environment);
  for (const char* name : {"output", "force", "shard", "depfile", "time-limit"}) {
    EXPECT_EQ(table.find(name), nullptr) << name;
  }
  for (const char* name : {"json", "threads", "memory", "log-file", "config", "completion"}) {
    EXPECT_NE(table.find(name), nullptr) << name;
  }
  const std::vector<std::string> keys = common_keys();
  EXPECT_NE(std::ranges::find(keys, "shard"), keys.end());
  EXPECT_EQ(std::ranges::find(keys, "help"), keys.end());
}

std::string default_of(const std::string& name, const base::Environment& environment) {
  CommonOptions common;
  SessionOptions session;
  OptionTable table;
  declare_common(table, true, common, session, environment);
  for (const Assignment& a : machine_defaults(table, environment)) {
    if (a.option->name == name) return a.value + " from " + a.origin;
  }
  return "none";
}

TEST(MachineDefaults, TakeThreadsFromOpenMpBeforeSlurmBeforeTheMachine) {
  EXPECT_EQ(default_of("threads", base::Environment(
                                      {{"OMP_NUM_THREADS", "3,2"}, {"SLURM_CPUS_PER_TASK", "5"}})),
            "3 from OMP_NUM_THREADS");
  EXPECT_EQ(default_of("threads", base::Environment({{"SLURM_CPUS_PER_TASK", "5"}})),
            "5 from SLURM_CPUS_PER_TASK");
  EXPECT_EQ(default_of("threads", base::Environment({{"OMP_NUM_THREADS", "many"}})),
            std::to_string(parallel::allowed_cpus()) + " from allowed processors");
}

TEST(MachineDefaults, LeaveAFifthOfTheMemory) {
  EXPECT_NE(default_of("memory", base::Environment()).find(" from 80 % of available memory"),
            std::string::npos);
}

TEST(MachineDefaults, TakeScratchSpaceFromTmpdir) {
  EXPECT_EQ(default_of("tmp-dir", base::Environment({{"TMPDIR", "/fast"}})), "/fast from TMPDIR");
  EXPECT_EQ(default_of("tmp-dir", base::Environment()), "none");
}

TEST(ParseShard, TakesPartsOfAWhole) {
  const stage::Shard shard = parse_shard("2/3", base::Environment());
  EXPECT_EQ(shard.index, 2);
  EXPECT_EQ(shard.count, 3);
}

TEST(ParseShard, RefusesPartsThatDoNotExist) {
  for (const char* text : {"4/3", "3"}) {
    const UsageError error = error_of<UsageError>([&] { parse_shard(text, base::Environment()); });
    EXPECT_EQ(error.why(), "'" + std::string(text) + "' is not K/N with 1 <= K <= N");
    EXPECT_EQ(error.fix(), "give for example --shard 2/3, or --shard auto in a SLURM array job");
  }
  for (const char* text : {"0/3", "/3", "1/", "a/b", "1/2/3", "-1/3"}) {
    EXPECT_THROW(parse_shard(text, base::Environment()), UsageError) << text;
  }
}

TEST(ParseShard, TakesBothNumbersFromASlurmArray) {
  const stage::Shard shard =
      parse_shard("auto", base::Environment({{"SLURM_ARRAY_TASK_ID", "7"},
                                             {"SLURM_ARRAY_TASK_MIN", "5"},
                                             {"SLURM_ARRAY_TASK_COUNT", "4"}}));
  EXPECT_EQ(shard.index, 3);
  EXPECT_EQ(shard.count, 4);
  EXPECT_EQ(error_of<UsageError>([] { parse_shard("auto", base::Environment()); }).why(),
            "SLURM_ARRAY_TASK_ID, _MIN or _COUNT is not set");
  const UsageError step = error_of<UsageError>([] {
    parse_shard("auto", base::Environment({{"SLURM_ARRAY_TASK_ID", "9"},
                                           {"SLURM_ARRAY_TASK_MIN", "1"},
                                           {"SLURM_ARRAY_TASK_COUNT", "3"}}));
  });
  EXPECT_EQ(step.why(), "array task 9 is not one of 3 from 1 on in steps of 1");
  EXPECT_EQ(step.fix(), "submit the array with step 1, such as --array=1-8");
}

}  // namespace
}  // namespace lq::cli
