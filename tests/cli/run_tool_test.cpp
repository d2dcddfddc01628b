#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <new>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

#include "common/stage/stop.h"
#include "tests/cli/toy_tool.h"
#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

/// run_tool() with the standard descriptors on files.
class RunToolTest : public ::testing::Test {
 protected:
  RunToolTest() {
    ::setenv("XDG_CONFIG_DIRS", "/nonexistent", 1);
    ::setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    ::unsetenv("CLICOLOR_FORCE");
  }
  int run(std::vector<std::string> arguments, const std::string& input = "",
          const std::string& output = "") {
    arguments.insert(arguments.begin(), "lq-toy");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const std::string out = output.empty() ? (scratch_.path() / "out").string() : output;
    const std::string err = (scratch_.path() / "err").string();
    const std::array files = {::open(scratch_.write("in", input).c_str(), O_RDONLY),
                              ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600),
                              ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600)};
    std::array<int, 3> saved{};
    for (int fd = 0; fd < 3; ++fd) {
      saved[static_cast<std::size_t>(fd)] = ::dup(fd);
      ::dup2(files[static_cast<std::size_t>(fd)], fd);
      ::close(files[static_cast<std::size_t>(fd)]);
    }
    if (close_output_) ::close(STDOUT_FILENO);
    const int code = run_tool(static_cast<int>(arguments.size()), argv.data(), tool_);
    for (int fd = 0; fd < 3; ++fd) {
      ::dup2(saved[static_cast<std::size_t>(fd)], fd);
      ::close(saved[static_cast<std::size_t>(fd)]);
    }
    out_ = output.empty() ? testing::read_file(out) : "";
    err_ = testing::read_file(err);
    return code;
  }

  /// Without standard streams of its own: in a child that is expected to end.
  void run_tool_here() {
    std::string name = "lq-toy", operand = "model";
    std::array<char*, 3> argv = {name.data(), operand.data(), nullptr};
    std::exit(run_tool(2, argv.data(), tool_));
  }

  testing::ScratchDirectory scratch_;
  ToyTool tool_;
  bool close_output_ = false;
  std::string out_, err_;
};

TEST_F(RunToolTest, PrintsThePathAndNothingElse) {
  EXPECT_EQ(run({"model", "-j3", "-c", "blue"}), 0);
  EXPECT_EQ(out_, "/made/toy\n");
  EXPECT_EQ(err_, "");
  EXPECT_EQ(tool_.ran_with, (std::vector<std::string>{"model"}));
  EXPECT_EQ(tool_.seen.stage.n_threads, 3);
  EXPECT_EQ(tool_.seen.argv, (std::vector<std::string>{"lq-toy", "model", "-j3", "-c", "blue"}));
  EXPECT_EQ(tool_.colour, "blue");
}

TEST_F(RunToolTest, EndsThePathWithNulOnRequest) {
  EXPECT_EQ(run({"model", "-0"}), 0);
  EXPECT_EQ(out_, std::string("/made/toy\0", 10));
}

TEST_F(RunToolTest, RefusesAPathThatIsNoLineBeforeTheWork) {
  EXPECT_EQ(run({"model", "-o", "a\nb"}), 2);
  EXPECT_NE(err_.find("cannot print the path a\\x0Ab"), std::string::npos) << err_;
  EXPECT_TRUE(tool_.ran_with.empty());
  EXPECT_EQ(run({"model", "-o", "a\nb", "-0"}), 0);
}

TEST_F(RunToolTest, RefusesAnEmptyOutput) {
  EXPECT_EQ(run({"model", "-o", ""}), 2);
  EXPECT_EQ(err_,
            "lq-toy: error: the value of --output is empty\n  why: perhaps a variable is not "
            "set\n  fix: name a place, or leave --output out for the default\n");
}

TEST_F(RunToolTest, LogsNoSecretsOfAddresses) {
  EXPECT_EQ(run({"https://me:secret@host/model?token=secret"}), 0);
  EXPECT_EQ(tool_.seen.argv, (std::vector<std::string>{"lq-toy", "https://host/model"}));
}

TEST_F(RunToolTest, ReadsTheOperandFromStandardInput) {
  EXPECT_EQ(run({"-"}, "/from/stdin\n"), 0);
  EXPECT_EQ(tool_.ran_with, (std::vector<std::string>{"/from/stdin"}));
  ASSERT_EQ(tool_.validated.size(), 2U);
  EXPECT_EQ(tool_.validated[0], (std::vector<std::string>{"-"}));
  EXPECT_EQ(run({"-"}, ""), 3);
  EXPECT_EQ(run({"-"}, "/a\n/b\n"), 2);
}

TEST_F(RunToolTest, PrintsOneObjectWithJson) {
  EXPECT_EQ(run({"model", "--json"}), 0);
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["schema"], "lq-result/1");
  EXPECT_EQ(json["status"], "made");
  EXPECT_EQ(json["path"], "/made/toy");
  EXPECT_GE(json["seconds"], 0);
}

TEST_F(RunToolTest, ReportsAnErrorWithItsCodeAndNothingOnStandardOutput) {
  tool_.work = [](stage::StageObserver&) -> ToolResult {
    throw base::ValidationError("cannot read x", "it is broken", "fetch it again");
  };
  EXPECT_EQ(run({"model"}), 6);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(err_, "lq-toy: error: cannot read x\n  why: it is broken\n  fix: fetch it again\n");
  EXPECT_EQ(run({"model", "--json"}), 6);
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["status"], "failed");
  EXPECT_EQ(json["error"]["code"], 6);
}

TEST_F(RunToolTest, ReportsUsageErrorsAsJsonToo) {
  EXPECT_EQ(run({"--nonsense", "--json"}), 2);
  EXPECT_EQ(nlohmann::json::parse(out_)["error"]["what"], "unknown option --nonsense");
}

TEST_F(RunToolTest, ExplainsAMissingOperand) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(err_,
            "lq-toy: error: no MODEL was given\n"
            "  why: usage: lq-toy [OPTION]... MODEL\n"
            "  fix: name it, for example: lq-toy my-model; lq-toy --help lists the options\n");
}

TEST_F(RunToolTest, ReportsOtherExceptionsAsABugOfOurs) {
  tool_.work = [](stage::StageObserver&) -> ToolResult { throw std::logic_error("index 7"); };
  EXPECT_EQ(run({"model"}), 1);
  EXPECT_EQ(err_,
            "lq-toy: error: internal error\n  why: index 7\n"
            "  fix: this is a bug in lq-toy, not in your input: please report it with the output "
            "of 'lq-toy --version -v'\n");
}

TEST_F(RunToolTest, ReportsExhaustedMemory) {
  tool_.work = [](stage::StageObserver&) -> ToolResult { throw std::bad_alloc(); };
  EXPECT_EQ(run({"model"}), 5);
  EXPECT_EQ(err_.rfind("lq-toy: error: cannot go on without more memory\n", 0), 0U) << err_;
}

struct NeedsMemoryToDie {
  ~NeedsMemoryToDie() { allocate(); }
  static void allocate() { throw std::bad_alloc(); }
};

// As nlohmann's values do when they are destroyed.
TEST_F(RunToolTest, SaysSoWhenMemoryRunsOutInADestructor) {
  tool_.work = [](stage::StageObserver&) -> ToolResult {
    const NeedsMemoryToDie value;
    return {};
  };
  EXPECT_EXIT(run_tool_here(), ::testing::ExitedWithCode(5),
              "error: cannot go on without more memory\n  why: the system refused");
}

TEST_F(RunToolTest, TreatsAFailureOfTheFileSystemAsOne) {
  tool_.work = [](stage::StageObserver&) -> ToolResult {
    throw std::filesystem::filesystem_error("cannot rename", "/a/b",
                                            std::make_error_code(std::errc::permission_denied));
  };
  EXPECT_EQ(run({"model"}), 8);
  EXPECT_EQ(err_.rfind("lq-toy: error: cannot work with /a/b\n  why: Permission denied", 0), 0U)
      << err_;
}

TEST_F(RunToolTest, ExplainsAThreadThatCannotBeStarted) {
  tool_.work = [](stage::StageObserver&) -> ToolResult {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  };
  EXPECT_EQ(run({"model"}), 5);
  EXPECT_EQ(err_,
            "lq-toy: error: cannot start a thread\n  why: Resource temporarily unavailable\n"
            "  fix: use fewer with -j 1, or raise the limit (ulimit -u)\n");
}

TEST_F(RunToolTest, AppendsToNoFileThatIsNoLog) {
  const std::string model = scratch_.write("model.safetensors", std::string(100, '\0'));
  EXPECT_EQ(run({"model", "--log-file", model}), 8);
  EXPECT_EQ(testing::read_file(model), std::string(100, '\0'));
  EXPECT_EQ(err_, "lq-toy: error: cannot append to " + model +
                      "\n  why: the file is there and is no log of these tools\n"
                      "  fix: choose another --log-file, or remove that file\n");
  const std::string config = scratch_.write("config.json", "{\"a\":1}");
  EXPECT_EQ(run({"model", "--log-file", config}), 8);
  const std::string log = scratch_.write("log", "");
  EXPECT_EQ(run({"model", "--log-file", log}), 0);
  EXPECT_EQ(run({"model", "--log-file", log}), 0);
}

TEST_F(RunToolTest, EndsAnInterruptedRunWithTheCodeOfItsSignal) {
  tool_.work = [](stage::StageObserver&) -> ToolResult {
    throw stage::Interrupted(stage::StopReason::kTerminate, 1, 2);
  };
  const std::string log = (scratch_.path() / "log").string();
  EXPECT_EQ(run({"model", "--log-file", log}), 143);
  EXPECT_EQ(err_, "lq-toy: interrupted after 1 of 2 units; run the same command to continue\n");
  EXPECT_NE(testing::read_file(log).find("\"ev\":\"checkpoint\""), std::string::npos);
}

TEST_F(RunToolTest, ErasesTheBarBeforeAnError) {
  const stage::Plan plan = toy_plan({1});
  tool_.work = [&](stage::StageObserver& observer) -> ToolResult {
    observer.planned(plan, 0);
    throw base::ConversionError("what", "why", "fix");
  };
  EXPECT_EQ(run({"model", "--progress", "always"}), 1);
  EXPECT_NE(err_.find("lq-toy: error: what\n"), std::string::npos);
}

TEST_F(RunToolTest, LogsStartAndEndOfTheRun) {
  const std::string log = (scratch_.path() / "log").string();
  EXPECT_EQ(run({"model", "--log-file", log, "-c", "green"}), 0);
  const std::string text = testing::read_file(log);
  const auto start = nlohmann::json::parse(text.substr(0, text.find('\n')));
  const auto end = nlohmann::json::parse(text.substr(text.find('\n') + 1));
  EXPECT_EQ(start["ev"], "run.start");
  EXPECT_EQ(start["options"]["colour"], "green");
  EXPECT_EQ(start["argv"][1], "model");
  EXPECT_FALSE(start["version"].empty());
  EXPECT_FALSE(start["host"].empty());
  EXPECT_EQ(end["ev"], "run.end");
  EXPECT_EQ(end["code"], 0);
  EXPECT_GT(end["peak_rss"], 0);
}

TEST_F(RunToolTest, FailsWhenStandardOutputIsFull) {
  EXPECT_EQ(run({"model"}, "", "/dev/full"), 8);
  EXPECT_EQ(err_.rfind("lq-toy: error: cannot write the result to standard output\n  why: No "
                       "space left on device\n",
                       0),
            0U)
      << err_;
  EXPECT_EQ(run({"--help"}, "", "/dev/full"), 8);
}

TEST_F(RunToolTest, RefusesToWorkWhenStandardOutputIsClosed) {
  close_output_ = true;
  EXPECT_EQ(run({"model"}), 8);
  EXPECT_TRUE(tool_.ran_with.empty());
  EXPECT_NE(err_.find("why: standard output is closed\n"), std::string::npos);
}

TEST_F(RunToolTest, WritesTheDepfile) {
  const std::string depfile = (scratch_.path() / "toy.d").string();
  tool_.work = [](stage::StageObserver&) {
    ToolResult result;
    result.lines = {"/made/toy"};
    result.targets = {"/made/toy"};
    result.dependencies = {"/m/config.json"};
    return result;
  };
  EXPECT_EQ(run({"model", "-o", "toy", "--depfile", depfile}), 0);
  EXPECT_EQ(testing::read_file(depfile), "toy: \\\n  /m/config.json\n/m/config.json:\n");
}

TEST_F(RunToolTest, PrintsTheConfigurationInstead) {
  EXPECT_EQ(run({"--print-config", "-c", "blue"}), 0);
  EXPECT_NE(out_.find("  colour: blue                           # command line\n"),
            std::string::npos)
      << out_;
  EXPECT_TRUE(tool_.ran_with.empty());
  EXPECT_EQ(run({"--print-config", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(out_)["config"]["colour"]["value"], "blue");
}

TEST_F(RunToolTest, InformsWithoutAnOperand) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_EQ(out_.rfind("Usage: lq-toy", 0), 0U);
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(run({"--completion=zsh"}), 0);
  EXPECT_EQ(err_, "");
}

class ReportToolTest : public RunToolTest {
 protected:
  ReportToolTest() { tool_ = ToyTool(false); }
  /// Runs with a pipe as standard output that nobody reads.
  int run_without_reader() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    ::close(ends[0]);
    const int saved = ::dup(STDOUT_FILENO), saved_error = ::dup(STDERR_FILENO);
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    std::string name = "lq-toy", operand = "model";
    std::array<char*, 3> argv = {name.data(), operand.data(), nullptr};
    const int code = run_tool(2, argv.data(), tool_);
    ::dup2(saved, STDOUT_FILENO);
    ::dup2(saved_error, STDERR_FILENO);
    ::close(saved);
    ::close(ends[1]);
    return code;
  }
};

TEST_F(ReportToolTest, EndsQuietlyWhenItsReaderGoesAway) {
  EXPECT_EQ(run_without_reader(), 141);
  tool_.spec_.makes_output = true;
  EXPECT_EQ(run_without_reader(), 8);
}

TEST_F(ReportToolTest, HasTheCodeOfItsVerdict) {
  tool_.work = [](stage::StageObserver&) {
    ToolResult result;
    result.lines = {"unsound"};
    result.code = base::ExitCode::kValidation;
    return result;
  };
  EXPECT_EQ(run({"model"}), 6);
  EXPECT_EQ(out_, "unsound\n");
}

TEST_F(ReportToolTest, HasNoOptionsAboutAResult) {
  EXPECT_EQ(run({"model", "--output", "x"}), 2);
  EXPECT_NE(err_.find("unknown option --output"), std::string::npos);
}

}  // namespace
}  // namespace lq::cli
