// Directories as others make them, and what real runtimes did with them (vLLM 0.32.0 on a CPU;
// transformers 5.19.0 with GPTQModel 7.4.0 and compressed-tensors 0.17.0).

#include <gtest/gtest.h>

#include "tests/soundness/made_model.h"
#include "tests/soundness/shown.h"

namespace lq::testing {
namespace {

using nlohmann::json;

enum Answer { kNo, kLoads, kWrong };

struct Case {
  const char* name;
  MadeModel model;
  Answer vllm;
  Answer transformers = kLoads;
  bool is_sound = true;
  void (*change)(MadeModel& model) = nullptr;  // after it was made
};

json weights_key(const char* key, const json& value) {
  return {{"config_groups", {{"group_0", {{"weights", {{key, value}}}}}}}};
}

void keep_asymmetric_zeros(MadeModel& model) {
  model.model_config["quantization_config"]["zero_point"] = false;
}
void keep_head_out(MadeModel& model) { model.model_config["torch_dtype"] = "float32"; }
void declare_v1(MadeModel& model) {
  model.model_config["quantization_config"]["checkpoint_format"] = "gptq";
}
void forget_ignored(MadeModel& model) {
  model.model_config["quantization_config"]["ignore"] = {"lm_head"};
}
void minimal_keys(MadeModel& model) {
  auto& weights = model.model_config["quantization_config"]["config_groups"]["group_0"]["weights"];
  weights.erase("actorder");
  weights.erase("type");
}
void head_as_linear(MadeModel& model) {
  model.model_config["quantization_config"]["ignore"] = json::array();
}

constexpr auto kF16 = tensor::DType::kF16, kBF16 = tensor::DType::kBF16;

std::vector<Case> cases() {
  const auto awq = [](std::size_t group, json config = {}) {
    return MadeModel{.format = "awq", .scheme = {4, group, false}, .config = std::move(config)};
  };
  const auto gptq = [](hf::Scheme scheme, json config = {}) {
    return MadeModel{.format = "gptq", .scheme = scheme, .config = std::move(config)};
  };
  const auto packed = [](hf::Scheme scheme, json config = {}) {
    return MadeModel{.format = "compressed-tensors",
                     .scheme = scheme,
                     .float_dtype = kBF16,
                     .config = std::move(config)};
  };
  std::vector<Case> all;
  const auto add = [&all](Case one) { all.push_back(std::move(one)); };
  for (const std::size_t group : {128, 64, 32, 16, 256, 0}) add({"awq group", awq(group), kLoads});
  MadeModel model = awq(128);
  model.float_dtype = kBF16;
  add({"awq bfloat16", model, kLoads});
  model = awq(128);
  model.output = true;
  add({"awq lm_head", model, kLoads});
  model = awq(128);
  model.skip = "down_proj";
  add({"awq float down_proj, listed", model, kLoads});
  model.config = {{"modules_to_not_convert", nullptr}};
  add({"awq float down_proj, list null", model, kLoads, kNo});
  model = awq(128, {{"zero_point", false}});
  model.scheme.symmetric = true;
  model.remove = {".qzeros"};
  add({"awq zero_point false, no qzeros", model, kLoads});
  add({"awq zero_point false, asymmetric qzeros", awq(128), kWrong, kLoads, false,
       keep_asymmetric_zeros});
  add({"awq 8 bit", awq(128, {{"bits", 8}}), kNo, kNo, false});
  model = awq(128);
  model.skip = "q_proj";
  add({"awq float q_proj", model, kNo, kLoads, false});
  add({"awq no zero_point key", awq(128, {{"zero_point", nullptr}}), kNo});
  add({"awq [gate]", awq(128, {{"modules_to_not_convert", {"gate"}}}), kNo, kLoads, false});

  for (const std::size_t group : {128, 64, 32, 0}) {
    add({"gptq sym", gptq({4, group, true}), kLoads});
  }
  model = gptq({4, 128, true});
  model.signed_scales = true;
  add({"gptq signed", model, kLoads});
  model = gptq({4, 128, true});
  model.float_dtype = kF16;
  add({"gptq float16", model, kLoads});
  model.format = "gptq_v2";
  add({"gptq v2 declared v2", model, kLoads});
  add({"gptq v2 declared v1", model, kLoads, kWrong, false, declare_v1});
  model = gptq({4, 128, true});
  model.remove = {".qzeros"};
  add({"gptq no qzeros", model, kLoads});
  model.remove = {".g_idx"};
  add({"gptq no g_idx", model, kLoads});
  model = gptq({4, 128, true});
  model.output = true;
  add({"gptq lm_head", model, kLoads, kNo});
  model = gptq({4, 128, true});
  model.skip = "down_proj";
  add({"gptq float down_proj without dynamic", model, kLoads, kNo});
  model.config = {{"dynamic", {{"-:.*down_proj", json::object()}}}};
  add({"gptq float down_proj with dynamic", model, kLoads, kNo});
  add({"gptq -1 desc_act", gptq({4, 0, true}, {{"desc_act", true}}), kLoads});
  model = gptq({4, 128, true});
  model.shuffled = true;
  add({"gptq shuffled, desc_act false", model, kWrong, kLoads, false});
  model.config = {{"desc_act", true}};
  add({"gptq desc_act with groups", model, kNo});
  add({"gptq asym", gptq({4, 128, false}), kNo});
  for (const int bits : {2, 3, 8}) add({"gptq bits", gptq({bits, 128, true}), kNo});
  for (const std::size_t group : {16, 256}) add({"gptq group", gptq({4, group, true}), kNo});
  add({"gptq no sym key", gptq({4, 128, true}, {{"sym", nullptr}}), kNo});
  add({"gptq no desc_act key", gptq({4, 128, true}, {{"desc_act", nullptr}}), kNo});
  add({"gptq float32 stated", gptq({4, 128, true}), kNo, kLoads, true, keep_head_out});
  model = gptq({4, 128, true});
  model.skip = "q_proj";
  add({"gptq float q_proj", model, kNo, kNo, false});

  for (const std::size_t group : {128, 64, 32, 16, 0}) {
    add({"ct sym", packed({4, group, true}), kLoads});
  }
  for (const std::size_t group : {128, 32}) add({"ct asym", packed({4, group, false}), kLoads});
  model = packed({4, 128, true});
  model.signed_scales = true;
  add({"ct signed", model, kLoads});
  model = packed({4, 128, true});
  model.float_dtype = kF16;
  add({"ct float16", model, kLoads});
  model = packed({4, 128, true},
                 {{"config_groups", {{"group_0", {{"targets", {"Linear", "re:.*lm_head"}}}}}}});
  model.output = true;
  add({"ct lm_head targeted", model, kLoads});
  model = packed({4, 128, true});
  model.output = true;
  add({"ct lm_head, targets Linear", model, kNo, kLoads, true, head_as_linear});
  add({"ct actorder static", packed({4, 128, true}, weights_key("actorder", "static")), kLoads});
  add({"ct minimal keys", packed({4, 128, true}), kLoads, kLoads, true, minimal_keys});
  add({"ct unknown key at the top", packed({4, 128, true}, {{"lq_tool", 1}}), kLoads});
  for (const int bits : {8, 2}) add({"ct bits", packed({bits, 128, true}), kNo});
  add({"ct 3 bit", packed({3, 128, true}), kNo, kNo});
  add({"ct actorder group", packed({4, 128, true}, weights_key("actorder", "group")), kNo});
  add({"ct unknown key in weights", packed({4, 128, true}, weights_key("lq_tool", 1)), kNo, kNo});
  model = packed({4, 128, true});
  model.skip = "down_proj";
  add({"ct float down_proj, ignored", model, kLoads});
  add({"ct float down_proj, not ignored", model, kNo, kNo, false, forget_ignored});
  model.skip = "q_proj";
  add({"ct float q_proj", model, kNo, kLoads, false});
  return all;
}

Answer answer(const soundness::RuntimeVerdict& verdict) {
  if (!verdict.loads) return kNo;
  return verdict.why.find("computes wrong") == std::string::npos ? kLoads : kWrong;
}

TEST(SoundnessRuntimes, AgreeWithWhatRealOnesDid) {
  for (Case one : cases()) {
    SCOPED_TRACE(fmt::format("{} {} bits, group {}", one.name, one.model.scheme.bits,
                             one.model.scheme.group_size));
    const ScratchDirectory scratch;
    one.model.make();
    if (one.change != nullptr) one.change(one.model);
    const soundness::Soundness result = soundness::check(one.model.write(scratch), {});
    EXPECT_EQ(result.is_sound(), one.is_sound) << shown(result);
    ASSERT_EQ(result.runtimes.size(), 4u);
    EXPECT_EQ(answer(result.runtimes[0]), one.vllm) << shown(result) << shown_verdicts(result);
    EXPECT_EQ(answer(result.runtimes[2]), one.transformers)
        << shown(result) << shown_verdicts(result);
    EXPECT_EQ(answer(result.runtimes[3]), kNo);
  }
}

}  // namespace
}  // namespace lq::testing
