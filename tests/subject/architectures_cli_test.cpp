// A GGUF that lq-quant-gguf makes in F32 has the logits of the model that it was made from, for
// every architecture and option; where GGUF has no key for an option, those of the model without it.

#include <gtest/gtest.h>

#include "common/subject/subject.h"
#include "tests/forward/head_input.h"
#include "tests/forward/model_cases.h"
#include "tests/peers/quantized.h"

namespace lq::testing {
namespace {

using linalg::Compute;

/// The file has YaRN's betas, though one runtime does not read them.
bool is_kept(const ModelCase& row) {
  return row.runtime_keys == nullptr || std::string(row.name) == "LlamaYarnWithBetas";
}

class ArchitecturesCli : public ::testing::TestWithParam<ModelCase> {};

TEST_P(ArchitecturesCli, HaveTheLogitsOfTheirSource) {
  const ScratchDirectory converted, computed, scratch;
  const auto ids = random_ids(kLongWindow);
  const auto dir = write_random_model(converted, GetParam().config());
  const auto gguf = subject::open_subject(quantized(dir, "F32", scratch));
  const auto config = is_kept(GetParam()) ? GetParam().config() : GetParam().runtime_config();
  const auto source = model::open_checkpoint(write_random_model(computed, config));
  const auto wanted = all_logits(source, ids, {{ids.size()}}, Compute::kF32);
  const auto logits =
      all_logits(gguf->config(), gguf->weights(), ids, {{ids.size()}}, Compute::kF32);
  ASSERT_EQ(logits.size(), wanted.size());
  EXPECT_LT(distance(logits, wanted), 1e-5);  // measured: 9e-7 at most, mostly 0
}

INSTANTIATE_TEST_SUITE_P(All, ArchitecturesCli, ::testing::ValuesIn(kModelCases),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace lq::testing
