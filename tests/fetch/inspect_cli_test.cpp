// lq-inspect on a repository that is not here.

#include <chrono>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class InspectTest : public FetchTest {
 protected:
  Command inspection(std::vector<std::string> arguments) const {
    Command command = this->command(std::move(arguments), {{"TMPDIR", scratch_.path().string()}});
    command.arguments.front() = tool("lq-inspect");
    return command;
  }
  Outcome inspect(std::vector<std::string> arguments) const {
    return run(inspection(std::move(arguments)));
  }
  static Files bundled_model() {
    Files files;
    for (const auto& entry : fs::directory_iterator(LQ_TEST_DATA "/tiny-llama")) {
      if (entry.is_regular_file()) files[entry.path().filename()] = read_file(entry.path());
    }
    return files;
  }
};

TEST_F(InspectTest, ARepositoryIsDescribedFromItsHeaders) {
  hub_.add("org/tiny", bundled_model());
  hub_.start();
  json remote = json::parse(inspect({"org/tiny", "--tensors", "--json"}).out);
  json local = json::parse(inspect({LQ_TEST_DATA "/tiny-llama", "--tensors", "--json"}).out);
  EXPECT_EQ(remote["path"], "org/tiny");
  for (const char* key : {"architecture", "parameters", "tensors", "quantization", "tokenizer"}) {
    EXPECT_EQ(remote[key], local[key]) << key;
  }
  std::size_t bytes = 0;
  for (const json& request : hub_.requests()) bytes += request["bytes"].get<std::size_t>();
  EXPECT_LT(bytes, std::size_t{1} << 20);
  for (const auto& entry : fs::directory_iterator(scratch_.path())) {
    ADD_FAILURE() << entry.path() << " was left behind";
  }
}

TEST_F(InspectTest, EstimatesOfARepositoryEqualThoseOfTheDirectory) {
  hub_.add("org/tiny", bundled_model());
  hub_.start();
  const json remote = json::parse(inspect({"org/tiny", "--estimate=Q4_K_M", "--json"}).out);
  const json local =
      json::parse(inspect({LQ_TEST_DATA "/tiny-llama", "--estimate=Q4_K_M", "--json"}).out);
  EXPECT_EQ(remote["estimate"][0]["bytes"], local["estimate"][0]["bytes"]);
}

TEST_F(InspectTest, ReadsChatTemplatesAndTellsOfWaits) {
  Files files = bundled_model();
  files["chat_template.jinja"] = "{{ messages }}";
  hub_.add("org/tiny", files);
  hub_.faults({{{"on", "hub"}, {"path", "/revision/"}, {"times", 1}, {"status", 503}}});
  hub_.start();
  const Outcome remote = inspect({"org/tiny", "--json"});
  EXPECT_EQ(json::parse(remote.out)["tokenizer"]["chat_template"], true) << remote.out;
  EXPECT_NE(remote.err.find("next attempt in "), std::string::npos) << remote.err;
}

TEST_F(InspectTest, ATemporaryDirectoryThatIsNotThereIsNamed) {
  hub_.add("org/tiny", bundled_model());
  hub_.start();
  Command command = inspection({"org/tiny"});
  command.environment["TMPDIR"] = "/nonexistent";
  const Outcome outcome = run(command);
  EXPECT_EQ(outcome.exit_code, 8) << outcome.err;
  EXPECT_NE(outcome.err.find("TMPDIR names no directory"), std::string::npos) << outcome.err;
}

TEST_F(InspectTest, ASignalEndsItAndLeavesNothingBehind) {
  hub_.add("org/tiny", bundled_model());
  hub_.faults({{{"on", "any"}, {"path", "safetensors"}, {"stall_after", 0}}});
  hub_.start();
  RunningCommand running(inspection({"org/tiny"}));
  while (fs::is_empty(scratch_.path()) && !running.ended()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  running.signal(SIGINT);
  EXPECT_EQ(running.wait(), 128 + SIGINT);
  EXPECT_TRUE(fs::is_empty(scratch_.path()));
}

TEST_F(InspectTest, WhatIsNeitherHereNorThereIsNamedBothWays) {
  hub_.add_model("org/gated", 1, 1000, {{"gated", "auto"}});
  hub_.start();
  const Outcome none = inspect({"org/none"});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_NE(none.err.find("why: there is no file or directory of that name here, and " +
                          hub_.endpoint() + " has no repository org/none"),
            std::string::npos)
      << none.err;
  EXPECT_EQ(inspect({"org/gated"}).exit_code, 4);
  EXPECT_EQ(inspect({"./org/gated"}).exit_code, 3);
  EXPECT_EQ(inspect({"hf://org/none"}).exit_code, 3);
}

}  // namespace
}  // namespace lq::testing
