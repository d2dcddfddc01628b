// The `quantization_config` of each format, and that its rules hit the modules they should.

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>

#include "common/hf/format.h"
#include "common/hf/module_rules.h"
#include "tests/support/scratch.h"

namespace lq::hf {
namespace {

using nlohmann::ordered_json;
using testing::error_of;

constexpr Scheme kCommon{4, 128, true};

/// Twelve layers and an output matrix, which stays float.
QuantizationFacts twelve_layers() {
  using model::TensorRole;
  constexpr std::array kNames = {
      std::pair{"self_attn.q_proj", TensorRole::kAttnQ},
      std::pair{"self_attn.k_proj", TensorRole::kAttnK},
      std::pair{"self_attn.v_proj", TensorRole::kAttnV},
      std::pair{"self_attn.o_proj", TensorRole::kAttnOutput},
      std::pair{"mlp.gate_proj", TensorRole::kFfnGate},
      std::pair{"mlp.up_proj", TensorRole::kFfnUp},
      std::pair{"mlp.down_proj", TensorRole::kFfnDown},
  };
  QuantizationFacts facts;
  for (int layer = 0; layer < 12; ++layer) {
    for (const auto& [name, role] : kNames) {
      facts.modules.push_back({"model.layers." + std::to_string(layer) + "." + name, role, layer,
                               256, 256, kCommon, ""});
    }
  }
  facts.modules.push_back({"lm_head", TensorRole::kOutput, -1, 2048, 256, std::nullopt, "asked"});
  facts.scheme = kCommon;
  facts.quantizer = "lq-quant-gptq:1.2.3";
  return facts;
}

Module& module(QuantizationFacts& facts, const std::string& name) {
  return *std::ranges::find(facts.modules, name, &Module::name);
}

ordered_json config(const char* format, const QuantizationFacts& facts) {
  return find_format(format)->config(facts);
}

/// Several overrides of layers whose numbers begin alike.
QuantizationFacts with_overrides() {
  QuantizationFacts facts = twelve_layers();
  for (const char* name : {"q_proj", "k_proj", "v_proj"}) {
    module(facts, std::string("model.layers.1.self_attn.") + name).scheme = Scheme{8, 32, true};
  }
  module(facts, "model.layers.1.mlp.down_proj").scheme.reset();
  module(facts, "model.layers.11.mlp.down_proj").scheme.reset();
  module(facts, "model.layers.0.self_attn.o_proj").scheme = Scheme{8, 0, true};
  return facts;
}

bool hits(const std::string& pattern, const std::string& name) {
  return std::regex_search(name, std::regex(pattern), std::regex_constants::match_continuous);
}

TEST(GptqConfig, HasTheKeysOfTheFormatInItsOrder) {
  EXPECT_EQ(config("gptq", twelve_layers()).dump(),
            R"({"bits":4,"group_size":128,"sym":true,"desc_act":false,"lm_head":false,)"
            R"("quant_method":"gptq","checkpoint_format":"gptq","true_sequential":false,)"
            R"("static_groups":true,"damp_percent":0.01,"pack_dtype":"int32",)"
            R"("meta":{"quantizer":["lq-quant-gptq:1.2.3"],"damp_percent":0.01,)"
            R"("static_groups":true,"true_sequential":false}})");
}

TEST(GptqConfig, SaysTheConventionWholeRowsAndGroupsByImportance) {
  QuantizationFacts facts = twelve_layers();
  facts.scheme = {3, 0, false};
  for (Module& module : facts.modules) module.scheme = facts.scheme;
  facts.desc_act = true;
  const ordered_json json = config("gptq_v2", facts);
  EXPECT_EQ(json["checkpoint_format"], "gptq_v2");
  EXPECT_EQ(json["group_size"], -1);
  EXPECT_EQ(json["sym"], false);
  EXPECT_EQ(json["desc_act"], true);
  EXPECT_EQ(json["lm_head"], true);
  EXPECT_FALSE(json.contains("dynamic"));
}

TEST(GptqConfig, NamesModulesOfOtherSchemesWithTheNameThatRuntimesJoinThemTo) {
  EXPECT_EQ(
      config("gptq", with_overrides())["dynamic"].dump(),
      R"({"+:model\\.layers\\.0\\.self_attn\\.o_proj$":{"bits":8,"group_size":-1,"sym":true},)"
      R"("+:model\\.layers\\.1\\.self_attn\\.(?:q_proj|k_proj|v_proj|qkv_proj)$":)"
      R"({"bits":8,"group_size":32,"sym":true},)"
      R"("-:model\\.layers\\.(?:1|11)\\.mlp\\.down_proj$":{}})");
}

TEST(GptqConfig, RulesHitTheModulesThatDifferAndNoOther) {
  const QuantizationFacts facts = with_overrides();
  const ordered_json dynamic = config("gptq", facts)["dynamic"];
  for (const Module& module : facts.modules) {
    if (module.role == model::TensorRole::kOutput) continue;
    std::optional<Scheme> read = facts.scheme;
    for (const auto& [rule, values] : dynamic.items()) {
      if (!hits(rule.substr(2), module.name)) continue;
      read.reset();
      if (rule.starts_with("+:")) {
        const int group = values["group_size"];
        read = Scheme{values["bits"], group == -1 ? 0 : static_cast<std::size_t>(group),
                      values["sym"]};
      }
      break;
    }
    EXPECT_EQ(read, module.scheme) << module.name;
  }
  EXPECT_TRUE(hits(dynamic.items().begin().key().substr(2), "model.layers.0.self_attn.o_proj"));
  EXPECT_FALSE(hits(dynamic.items().begin().key().substr(2), "model.layers.0.self_attn.o_proj_2"));
}

TEST(GptqConfig, DeclaresDraftHeadsAndTowers) {
  QuantizationFacts facts = twelve_layers();
  facts.other_linears = {"mtp.fc",    "mtp.layers.0.mlp.up_proj", "vision.blocks.0.fc",
                         "vision.fc", "model.layers.12.eh_proj",  "model.projector",
                         "plain"};
  EXPECT_EQ(config("gptq", facts)["dynamic"].dump(),
            R"({"-:.*mtp.*":{},"-:vision\\.":{},"-:model\\.layers\\.12\\.":{},)"
            R"("-:model\\.projector$":{},"-:plain$":{}})");
  for (const std::string& pattern : other_linear_patterns(facts)) {
    for (const Module& module : facts.modules) {
      EXPECT_FALSE(hits(pattern, module.name)) << pattern << ' ' << module.name;
    }
  }
  module(facts, "model.layers.3.mlp.up_proj").name = "model.layers.3.mtp.up_proj";
  EXPECT_EQ(other_linear_patterns(facts).front(), R"(mtp\.)");
}

TEST(GptqConfig, NamesAnOutputMatrixOfItsOwnScheme) {
  QuantizationFacts facts = twelve_layers();
  module(facts, "lm_head").scheme = Scheme{8, 128, true};
  const ordered_json json = config("gptq", facts);
  EXPECT_EQ(json["lm_head"], true);
  EXPECT_EQ(json["dynamic"].dump(), R"({"+:lm_head$":{"bits":8,"group_size":128,"sym":true}})");
}

TEST(CompressedTensorsConfig, HasTheKeysOfTheFormatAndNoOthersInItsScheme) {
  EXPECT_EQ(config("compressed-tensors", twelve_layers()).dump(),
            R"({"quant_method":"compressed-tensors","format":"pack-quantized",)"
            R"("quantization_status":"compressed","version":"0.15.0",)"
            R"("global_compression_ratio":null,"kv_cache_scheme":null,"sparsity_config":{},)"
            R"("transform_config":{},"ignore":["lm_head"],"config_groups":{"group_0":{)"
            R"("targets":["Linear"],"format":"pack-quantized","input_activations":null,)"
            R"("output_activations":null,"weights":{"num_bits":4,"type":"int","symmetric":true,)"
            R"("strategy":"group","group_size":128,"dynamic":false,"actorder":null}}}})");
}

TEST(CompressedTensorsConfig, SaysAsymmetricGridsAndWholeRows) {
  QuantizationFacts facts = twelve_layers();
  facts.scheme = {4, 0, false};
  for (Module& module : facts.modules) module.scheme = facts.scheme;
  const ordered_json json = config("compressed-tensors", facts);
  EXPECT_TRUE(json["ignore"].empty());
  const ordered_json group = json["config_groups"]["group_0"];
  EXPECT_EQ(group["targets"].dump(), R"(["Linear","re:.*lm_head"])");
  EXPECT_EQ(group["weights"].dump(),
            R"({"num_bits":4,"type":"int","symmetric":false,"strategy":"channel",)"
            R"("group_size":null,"dynamic":false,"actorder":null,"zp_dtype":"torch.int8"})");
}

TEST(CompressedTensorsConfig, PutsNamedGroupsBeforeTheClassAndListsFloatModules) {
  QuantizationFacts facts = with_overrides();
  module(facts, "lm_head").scheme = Scheme{8, 32, true};
  facts.other_linears = {"mtp.fc", "vision.fc"};
  const ordered_json json = config("compressed-tensors", facts);
  EXPECT_EQ(json["ignore"].dump(), R"(["model.layers.1.mlp.down_proj",)"
                                   R"("model.layers.11.mlp.down_proj","mtp.fc","vision.fc",)"
                                   R"("re:.*mtp.*"])");
  const ordered_json groups = json["config_groups"];
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups["group_0"]["targets"].dump(),
            R"(["re:model\\.layers\\.0\\.self_attn\\.o_proj$"])");
  EXPECT_EQ(groups["group_0"]["weights"]["strategy"], "channel");
  EXPECT_EQ(groups["group_1"]["targets"].dump(),
            R"(["re:model\\.layers\\.1\\.self_attn\\.(?:q_proj|k_proj|v_proj|qkv_proj)$",)"
            R"("re:.*lm_head"])");
  EXPECT_EQ(groups["group_1"]["weights"]["group_size"], 32);
  EXPECT_EQ(groups["group_2"]["targets"].dump(), R"(["Linear"])");
}

TEST(AwqConfig, ListsFloatModules) {
  QuantizationFacts facts = twelve_layers();
  EXPECT_EQ(config("awq", facts).dump(),
            R"({"quant_method":"awq","bits":4,"group_size":128,"zero_point":true,)"
            R"("version":"gemm","modules_to_not_convert":["lm_head"]})");
  module(facts, "lm_head").scheme = kCommon;
  EXPECT_EQ(config("awq", facts)["modules_to_not_convert"], nullptr);
  EXPECT_EQ(config("awq", facts)["lm_head"], true);
}

TEST(AwqConfig, RefusesWhatItHasNoWordsFor) {
  QuantizationFacts facts = twelve_layers();
  facts.other_linears = {"up_proj"};
  auto error = error_of<base::UnsupportedError>([&] { config("awq", facts); });
  EXPECT_STREQ(error.what(), "cannot write an AWQ checkpoint of this model");
  EXPECT_EQ(error.why(),
            "its list of float modules names parts of names, and `up_proj` is a part of the "
            "quantized `model.layers.0.mlp.up_proj`");
  EXPECT_EQ(error.fix(), "quantize both or neither, or choose another format");
  facts = twelve_layers();
  module(facts, "model.layers.3.self_attn.o_proj").scheme = Scheme{4, 64, true};
  error = error_of<base::UnsupportedError>([&] { config("awq", facts); });
  EXPECT_EQ(error.why(),
            "the format has one scheme for all modules, and `model.layers.3.self_attn.o_proj` "
            "would have 4 bits, groups of 64, symmetric in place of 4 bits, groups of 128, "
            "symmetric");
  EXPECT_EQ(error.fix(), "leave out the override, or choose another format");
}

TEST(Configs, RefuseMembersOfAJoinedMatrixThatAreNotAlike) {
  QuantizationFacts facts = twelve_layers();
  module(facts, "model.layers.2.self_attn.k_proj").scheme.reset();
  for (const Format* format : formats()) {
    const auto error = error_of<base::UnsupportedError>([&] { format->config(facts); });
    EXPECT_STREQ(error.what(),
                 "cannot quantize model.layers.2.self_attn.q_proj and "
                 "model.layers.2.self_attn.k_proj in different ways");
    EXPECT_EQ(error.why(),
              "runtimes join them into one matrix, qkv_proj; one would be 4 bits, groups of 128, "
              "symmetric, the other float");
    EXPECT_EQ(error.fix(), "let --skip and --override name all members or none of them");
  }
  EXPECT_EQ(fused_name("a.b.up_proj"), "a.b.gate_up_proj");
  EXPECT_EQ(fused_name("a.b.down_proj"), "");
  EXPECT_EQ(describe(Scheme{3, 0, false}), "3 bits, whole rows, asymmetric");
}

}  // namespace
}  // namespace lq::hf
