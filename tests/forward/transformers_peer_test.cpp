// The forward pass against transformers in float32: random models of every architecture and option,
// also of those that llama.cpp does not run.

#include <gtest/gtest.h>
#include <map>

#include "tests/forward/head_input.h"
#include "tests/forward/model_cases.h"
#include "tests/support/command.h"
#include "tests/support/llama_peer.h"

namespace lq::testing {
namespace {

using nlohmann::json;

TEST(TransformersPeer, HasOurLogitsForEveryModel) {
  LQ_NEED_PEER("LQ_TRANSFORMERS_PYTHON");
  // One run for all: the library takes longer to start than the models to run.
  const auto ids = random_ids(kLongWindow + kShortWindow);
  const json windows = {std::vector(ids.begin(), ids.begin() + kLongWindow),
                        std::vector(ids.begin() + kLongWindow, ids.end())};
  std::map<std::string, ScratchDirectory> scratch;
  json jobs = json::array();
  for (const ModelCase& row : kModelCases) {
    const ScratchDirectory& own = scratch[row.name];
    jobs.push_back({{"model", write_random_model(own, row.config())},
                    {"windows", windows},
                    {"logits", own.path() / "logits.f32"}});
  }
  const ScratchDirectory shared;
  const std::string input = shared.write("jobs.json", jobs.dump());
  const std::string script = std::string(LQ_TEST_SOURCE) + "/peers/transformers_logits.py";
  const Outcome outcome = run({{peer_path("LQ_TRANSFORMERS_PYTHON"), "-B", script, input}, {}, {}});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const ModelCase& row : kModelCases) {
    SCOPED_TRACE(row.name);
    const ScratchDirectory& own = scratch[row.name];
    const auto theirs = float_file(own.path() / "logits.f32");
    const auto ours = all_logits(model::open_checkpoint(own.path()), ids,
                                 {{kLongWindow, kShortWindow}}, linalg::Compute::kF32);
    ASSERT_EQ(ours.size(), theirs.size());
    EXPECT_LT(distance(ours, theirs), 1e-4);  // measured: 7e-6 at most
  }
}

}  // namespace
}  // namespace lq::testing
