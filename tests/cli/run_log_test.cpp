#include "common/cli/run_log.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <sstream>
#include <thread>
#include <vector>

#include "common/stage/stop.h"
#include "tests/support/scratch.h"

namespace lq::cli {
namespace {

using spdlog::level::level_enum;

class RunLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunLog> make(bool colour = false) {
    return std::make_unique<RunLog>("lq-toy", session_, colour, console_);
  }
  static std::vector<nlohmann::json> json_lines(const std::string& text) {
    std::vector<nlohmann::json> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) found.push_back(nlohmann::json::parse(line));
    return found;
  }

  testing::ScratchDirectory scratch_;
  SessionOptions session_;
  std::string screen_;
  Console console_{[this](std::string_view text) { screen_ += text; }};
};

const base::BusyError kError("cannot write toy", "it is held", "wait");

TEST_F(RunLogTest, WritesTextForPeople) {
  const auto log = make();
  log->message("up to date");
  log->warning("tensor x is odd", "it is all zero");
  log->error(kError);
  EXPECT_EQ(screen_,
            "lq-toy: up to date\n"
            "lq-toy: warning: tensor x is odd\n  why: it is all zero\n"
            "lq-toy: error: cannot write toy\n  why: it is held\n  fix: wait\n");
}

TEST_F(RunLogTest, WritesWhatTheVerbosityAllows) {
  const auto told = [&](int verbosity) {
    session_.verbosity = verbosity;
    screen_.clear();
    const auto log = make();
    log->detail("detail");
    log->event(level_enum::debug, "unit.done", {}, "unit");
    log->message("message");
    log->warning("warning", "why");
    log->error(kError);
    std::string seen;
    for (const char* word : {"detail", "unit", "message", "warning", "error"}) {
      if (screen_.find(word) != std::string::npos) seen += std::string(word) + " ";
    }
    return seen;
  };
  EXPECT_EQ(told(kErrorsOnly), "error ");
  EXPECT_EQ(told(kQuiet), "warning error ");
  EXPECT_EQ(told(kNormal), "message warning error ");
  EXPECT_EQ(told(kVerbose), "unit message warning error ");
  EXPECT_EQ(told(kDebug), "detail unit message warning error ");
}

TEST_F(RunLogTest, ColoursTheLabelOnly) {
  make(true)->error(kError);
  EXPECT_EQ(screen_.rfind("lq-toy: \x1b[1;31merror:\x1b[0m cannot write toy\n", 0), 0U);
}

TEST_F(RunLogTest, SendsEverythingToTheLogFileWhateverTheVerbosity) {
  session_.verbosity = kErrorsOnly;
  session_.log_file = (scratch_.path() / "log").string();
  make()->event(level_enum::debug, "unit.done", {{"unit", "blk.0"}, {"s", 0.5}}, "text");
  make()->warning("what", "why");
  EXPECT_EQ(screen_, "");
  const auto lines = json_lines(testing::read_file(session_.log_file));
  ASSERT_EQ(lines.size(), 2U) << "a second run appends";
  EXPECT_EQ(lines[0]["lvl"], "debug");
  EXPECT_EQ(lines[0]["tool"], "lq-toy");
  EXPECT_EQ(lines[0]["ev"], "unit.done");
  EXPECT_EQ(lines[0]["unit"], "blk.0");
  EXPECT_EQ(lines[0]["s"], 0.5);
  EXPECT_GT(lines[0]["pid"], 0);
  EXPECT_NE(lines[0]["run"], lines[1]["run"]);
  EXPECT_EQ(lines[1]["lvl"], "warn");
  EXPECT_EQ(lines[1]["why"], "why");
  std::string shape = lines[0]["t"];
  std::ranges::replace_if(
      shape, [](char c) { return c >= '0' && c <= '9'; }, '9');
  EXPECT_EQ(shape, "9999-99-99T99:99:99.999Z");
}

TEST_F(RunLogTest, SendsJsonToStandardErrorOnRequest) {
  session_.log_format = "json";
  const auto log = make();
  EXPECT_FALSE(log->tells_text());
  log->message("up to date");
  log->event(level_enum::debug, "unit.done", {});
  log->detail("more");
  log->error(kError);
  const auto lines = json_lines(screen_);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["ev"], "message");
  EXPECT_EQ(lines[0]["text"], "up to date");
  EXPECT_EQ(lines[1]["ev"], "error");
  EXPECT_EQ(lines[1]["code"], 10);
  EXPECT_EQ(lines[1]["fix"], "wait");
}

TEST_F(RunLogTest, KeepsTheLinesOfSeveralThreadsWhole) {
  session_.log_file = (scratch_.path() / "log").string();
  const auto log = make();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) log->event(level_enum::debug, "unit.done", {{"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(json_lines(testing::read_file(session_.log_file)).size(), 400U);
}

TEST_F(RunLogTest, RefusesALogFileThatCannotBeOpened) {
  session_.log_file = "/nonexistent/log";
  const auto error = testing::error_of<base::OutputError>([&] { make(); });
  EXPECT_STREQ(error.what(), "cannot open the log file /nonexistent/log");
  EXPECT_EQ(error.why(), "No such file or directory");
  EXPECT_EQ(error.fix(), "choose another --log-file, or leave it out");
}

TEST(ErrorText, OfAnInterruptionIsOneLine) {
  const stage::Interrupted interrupted(stage::StopReason::kInterrupt, 87, 291);
  EXPECT_EQ(error_text("lq-toy", interrupted, true),
            "lq-toy: interrupted after 87 of 291 units; run the same command to continue");
}

}  // namespace
}  // namespace lq::cli
