#include "common/model/layer_windows.h"

#include <gtest/gtest.h>

#include "tests/model/checkpoint_files.h"

namespace lq::testing {
namespace {

/// Of a model of four layers with these keys in its config.json.
model::ModelConfig read(const std::string& architecture, const json& keys) {
  const ScratchDirectory scratch;
  json config = small_config(architecture);
  config["num_hidden_layers"] = 4;
  config.update(keys);
  scratch.write("config.json", config.dump());
  return model::read_config(scratch.path());
}

std::vector<std::int64_t> windows(const std::string& architecture, const json& keys) {
  const model::ModelConfig config = read(architecture, keys);
  std::vector<std::int64_t> sizes;
  for (std::int64_t layer = 0; layer < 4; ++layer) sizes.push_back(config.windows.of(layer));
  return sizes;
}

using Sizes = std::vector<std::int64_t>;
const Sizes kNone = {0, 0, 0, 0};

TEST(LayerWindows, OfMistralAreThatOfTheFileInAllLayers) {
  EXPECT_EQ(windows("MistralForCausalLM", {{"sliding_window", 64}}), (Sizes{64, 64, 64, 64}));
  EXPECT_EQ(windows("MistralForCausalLM", {{"sliding_window", nullptr}}), kNone);
  EXPECT_EQ(windows("MistralForCausalLM", json::object()), (Sizes{4096, 4096, 4096, 4096}));
  // Its configuration has no such switch.
  EXPECT_EQ(windows("MistralForCausalLM", {{"sliding_window", 64}, {"use_sliding_window", false}}),
            (Sizes{64, 64, 64, 64}));
}

TEST(LayerWindows, OfQwenAreSwitchedOnAndBeginAtALayer) {
  for (const std::string name : {"Qwen2ForCausalLM", "Qwen3ForCausalLM"}) {
    json keys = {{"sliding_window", 64}, {"max_window_layers", 3}};
    EXPECT_EQ(windows(name, keys), kNone);
    keys["use_sliding_window"] = false;
    EXPECT_EQ(windows(name, keys), kNone);
    keys["use_sliding_window"] = true;
    EXPECT_EQ(windows(name, keys), (Sizes{0, 0, 0, 64}));
    keys["max_window_layers"] = 0;
    EXPECT_EQ(windows(name, keys), (Sizes{64, 64, 64, 64}));
    keys.erase("max_window_layers");
    EXPECT_EQ(windows(name, keys), kNone);
    EXPECT_EQ(read(name, keys).windows.size, 0);
    keys["max_window_layers"] = 2;
    keys.erase("sliding_window");
    EXPECT_EQ(windows(name, keys), (Sizes{0, 0, 4096, 4096}));
  }
}

TEST(LayerWindows, FollowTheKindsOfLayersWhereTheFileNamesThem) {
  const json kinds = {"sliding_attention", "full_attention", "sliding_attention", "attention"};
  json keys = {{"sliding_window", 64}, {"layer_types", kinds}, {"max_window_layers", 4}};
  EXPECT_EQ(windows("MistralForCausalLM", keys), (Sizes{64, 0, 64, 0}));
  EXPECT_EQ(windows("Qwen3ForCausalLM", keys), kNone);
  keys["use_sliding_window"] = true;
  EXPECT_EQ(windows("Qwen3ForCausalLM", keys), (Sizes{64, 0, 64, 0}));
  EXPECT_EQ(read("Qwen3ForCausalLM", keys).windows.n_layers(4), 2);
}

TEST(LayerWindows, OfLlamaDoNotExist) {
  EXPECT_EQ(windows("LlamaForCausalLM", {{"sliding_window", 64}}), kNone);
}

TEST(LayerWindows, OfAnUnknownFamilyAreAsStated) {
  EXPECT_EQ(windows("NewForCausalLM", json::object()), kNone);
  EXPECT_EQ(windows("NewForCausalLM", {{"sliding_window", 64}}), (Sizes{64, 64, 64, 64}));
  EXPECT_EQ(windows("NewForCausalLM", {{"sliding_window", 64}, {"use_sliding_window", false}}),
            kNone);
}

TEST(LayerWindows, RefuseKindsThatAreNotOneNamePerLayer) {
  for (const json& kinds : {json("full_attention"), json({"full_attention"}), json({1, 2, 3, 4})}) {
    const auto error = error_of<base::ValidationError>([&] {
      read("Qwen3ForCausalLM", {{"layer_types", kinds}});
    });
    EXPECT_EQ(error.why(), "layer_types is " + kinds.dump() + ", expected a list of 4 names");
  }
}

}  // namespace
}  // namespace lq::testing
