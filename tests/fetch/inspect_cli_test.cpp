// lq-inspect on a repository that is not here.

#include <gtest/gtest.h>

#include "tests/fetch/fetcher.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class InspectTest : public FetchTest {
 protected:
  Outcome inspect(std::vector<std::string> arguments) const {
    Command command = this->command(std::move(arguments), {{"TMPDIR", scratch_.path().string()}});
    command.arguments.front() = tool("lq-inspect");
    return run(command);
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
