// The forward pass against llama.cpp on random models of every architecture and option, converted
// by lq-quant-gguf: the converter is judged as well, and its warnings of what the runtime does not
// have.

#include <cstring>
#include <gtest/gtest.h>

#include "common/model/gguf_model.h"
#include "tests/forward/head_input.h"
#include "tests/forward/model_cases.h"
#include "tests/peers/quantized.h"
#include "tests/support/llama_peer.h"

namespace lq::testing {
namespace {

using linalg::Compute;
using nlohmann::json;

std::vector<float> llama_logits(const std::filesystem::path& model,
                                const std::vector<std::int32_t>& ids,
                                const ScratchDirectory& scratch) {
  const std::string tokens = scratch.write("ids.json", json(ids).dump());
  const std::string out = scratch.path() / "logits.f32";
  llama_peer({"logits", model.string(), tokens, out});
  return float_file(out);
}

class ArchitecturesPeer : public ::testing::TestWithParam<ModelCase> {};

TEST_P(ArchitecturesPeer, HasTheLogitsOfLlamaCpp) {
  LQ_NEED_PEER("LLAMA_PEER");
  const ScratchDirectory converted, computed, scratch;
  const auto ids = random_ids(kLongWindow);
  const auto dir = write_random_model(converted, GetParam().config());
  const auto theirs = llama_logits(quantized(dir, "F32", scratch), ids, scratch);
  EXPECT_EQ(model::gguf_warnings(model::open_checkpoint(dir)).empty(),
            GetParam().runtime_keys == nullptr);
  const auto model =
      model::open_checkpoint(write_random_model(computed, GetParam().runtime_config()));
  const auto exact = all_logits(model, ids, {{ids.size()}}, Compute::kF32);
  ASSERT_EQ(theirs.size(), exact.size());
  EXPECT_LT(distance(exact, theirs), 1e-4);  // measured: 2e-5 at most
  const auto rounded = all_logits(model, ids, {{ids.size()}}, Compute::kBf16);
  EXPECT_LT(distance(rounded, theirs), 0.03);  // measured: 0.018 at most
  // What the runtime does not have is no trifle.
  if (GetParam().runtime_keys == nullptr) return;
  const auto own = all_logits(model::open_checkpoint(dir), ids, {{ids.size()}}, Compute::kF32);
  EXPECT_GT(distance(own, theirs), 0.05);
}

INSTANTIATE_TEST_SUITE_P(All, ArchitecturesPeer, ::testing::ValuesIn(kModelCases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace lq::testing
