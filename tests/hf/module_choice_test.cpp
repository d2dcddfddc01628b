#include "common/hf/module_choice.h"

#include <gtest/gtest.h>
#include <set>

#include "tests/model/checkpoint_files.h"

namespace lq::hf {
namespace {

using model::TensorRole;
using testing::error_of;
using testing::ScratchDirectory;

constexpr const char* kFormOfOverride = "it is not of the form REGEX=bits:N,group:N";

TEST(Override, SaysBitsOrGroupsOrBoth) {
  SchemeOverride row = parse_override("down_proj=bits:8,group:64");
  EXPECT_EQ(row.pattern, "down_proj");
  EXPECT_EQ(row.bits, 8);
  EXPECT_EQ(row.group_size, 64U);
  row = parse_override("o_proj=group:-1");
  EXPECT_EQ(row.bits, std::nullopt);
  EXPECT_EQ(row.group_size, 0U);
  row = parse_override("(?=x)down=bits:3");
  EXPECT_EQ(row.pattern, "(?=x)down");
  EXPECT_EQ(row.bits, 3);
  EXPECT_EQ(row.group_size, std::nullopt);
}

TEST(Override, IsRefusedWhereItIsNoOverride) {
  const auto why = [](const std::string& text) {
    const auto error = error_of<base::UsageError>([&] { parse_override(text); });
    EXPECT_EQ(error.what(), "cannot use --override " + text);
    EXPECT_EQ(error.fix(),
              "write for example --override 'down_proj=bits:8,group:64'; bits are 2, 3, 4 or 8, "
              "groups 32, 64, 128 or -1");
    return error.why();
  };
  for (const char* text :
       {"down_proj", "=bits:4", "down_proj=", "down_proj=bits",
        "down_proj=bits:", "down_proj=bits:x", "down_proj=bits:4x", "down_proj=,", "a=bits:4,",
        "a=bits:4,,group:32", "a=bits:99999999999"}) {
    EXPECT_EQ(why(text), kFormOfOverride) << text;
  }
  EXPECT_EQ(why("down_proj=bits:5"), "there are no codes of 5 bits");
  EXPECT_EQ(why("down_proj=bits:-4"), "there are no codes of -4 bits");
  EXPECT_EQ(why("down_proj=group:48"), "there are no groups of 48");
  EXPECT_EQ(why("down_proj=group:0"), "there are no groups of 0");
  EXPECT_EQ(why("down_proj=group:-2"), "there are no groups of -2");
  EXPECT_EQ(why("down_proj=sym:1"), "sym is neither bits nor group");
  EXPECT_EQ(why("down_proj=bits:4,bits:8"), "bits is there twice");
}

/// Two layers of 32 columns and 64 of down_proj, 10 rows of lm_head; no key-value heads are shared.
class Choice : public ::testing::Test {
 protected:
  Choice() {
    request_.format = find_format("gptq");
    config_["num_key_value_heads"] = 4;
  }

  const model::Checkpoint& checkpoint() {
    if (!checkpoint_) checkpoint_.emplace(testing::small_checkpoint(scratch_, config_));
    return *checkpoint_;
  }
  ModuleChoice choose() { return choose_modules(checkpoint(), request_); }
  template <class E>
  E error() {
    return error_of<E>([this] { choose(); });
  }

  static const Module& module(const ModuleChoice& choice, const std::string& name) {
    const auto found = std::ranges::find(choice.modules, name, &Module::name);
    if (found == choice.modules.end()) throw std::out_of_range(name);
    return *found;
  }

  ScratchDirectory scratch_;
  nlohmann::json config_ = testing::small_config();
  ModuleRequest request_;
  std::optional<model::Checkpoint> checkpoint_;
};

TEST_F(Choice, HasEveryLinearLayerByLayerWithTheOutputMatrixLast) {
  const ModuleChoice choice = choose();
  std::vector<std::string> names;
  for (const Module& module : choice.modules) names.push_back(module.name);
  ASSERT_EQ(names.size(), 2 * 7 + 1U);
  for (std::size_t i = 0; i < 14; ++i) {
    EXPECT_EQ(choice.modules[i].layer, static_cast<int>(i / 7));
    EXPECT_TRUE(names[i].starts_with("model.layers." + std::to_string(i / 7) + ".")) << names[i];
  }
  EXPECT_EQ(names.back(), "lm_head");
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
  const Module& down = module(choice, "model.layers.1.mlp.down_proj");
  EXPECT_EQ(down.role, TensorRole::kFfnDown);
  EXPECT_EQ(down.rows, 32U);
  EXPECT_EQ(down.columns, 64U);
}

TEST_F(Choice, LeavesTheOutputMatrixFloatUnlessAsked) {
  config_["vocab_size"] = 64;
  EXPECT_EQ(module(choose(), "lm_head").scheme, std::nullopt);
  EXPECT_EQ(module(choose(), "lm_head").why_float,
            "the output matrix stays float unless --lm-head asks for it");
  request_.output_matrix = true;
  EXPECT_EQ(module(choose(), "lm_head").scheme, (Scheme{4, 32, true}));
}

TEST_F(Choice, RefusesTheOutputMatrixThatIsTheEmbedding) {
  config_["tie_word_embeddings"] = true;
  request_.output_matrix = true;
  const auto tied = error<base::UsageError>();
  EXPECT_STREQ(tied.what(), "cannot quantize lm_head");
  EXPECT_EQ(tied.why(), "this model's output matrix is its embedding matrix, which stays float");
  EXPECT_EQ(tied.fix(), "leave out --lm-head");
}

TEST_F(Choice, TakesTheLargestUsualGroupsThatDivideAllColumns) {
  ModuleChoice choice = choose();
  EXPECT_EQ(choice.scheme, (Scheme{4, 32, true}));
  EXPECT_EQ(choice.notes, std::vector<std::string>{
                              "groups of 32, the largest that divide every layer's columns"});
  config_["hidden_size"] = 128;
  config_["intermediate_size"] = 256;
  checkpoint_.reset();
  choice = choose();
  EXPECT_EQ(choice.scheme.group_size, 128U);
  EXPECT_EQ(choice.notes, std::vector<std::string>{"groups of 128"});
}

TEST_F(Choice, TakesWholeRowsWhereNoUsualGroupsDivide) {
  config_["intermediate_size"] = 72;
  request_.format = find_format("compressed-tensors");
  const ModuleChoice choice = choose();
  EXPECT_EQ(choice.scheme.group_size, 0U);
  EXPECT_EQ(choice.notes, std::vector<std::string>{
                              "one group for each row: 32 does not divide every layer's columns"});
}

TEST_F(Choice, DoesNotAskModulesThatTheFormatCannotHoldForTheirGroups) {
  config_["intermediate_size"] = 72;  // no multiple of 32, which GPTQ packs
  const ModuleChoice choice = choose();
  EXPECT_EQ(choice.scheme.group_size, 32U);
  const Module& down = module(choice, "model.layers.0.mlp.down_proj");
  EXPECT_EQ(down.scheme, std::nullopt);
  EXPECT_EQ(down.why_float, "it has 72 columns, which are no multiple of 32");
  const Module& up = module(choice, "model.layers.0.mlp.up_proj");
  EXPECT_EQ(up.scheme, std::nullopt);
  EXPECT_EQ(choice.notes[1], "model.layers.0.mlp.gate_proj stays float: " + up.why_float);
}

TEST_F(Choice, LeavesWhatIsJoinedWithSuchAModuleFloatToo) {
  config_["num_key_value_heads"] = 2;  // 16 rows of k_proj
  const ModuleChoice choice = choose();
  EXPECT_EQ(module(choice, "model.layers.1.self_attn.k_proj").why_float,
            "it has 16 rows, which are no multiple of 32");
  const Module& q = module(choice, "model.layers.1.self_attn.q_proj");
  EXPECT_EQ(q.scheme, std::nullopt);
  EXPECT_EQ(q.why_float, "runtimes join it with model.layers.1.self_attn.k_proj");
  EXPECT_EQ(choice.notes.back(), "model.layers.1.self_attn.q_proj stays float: " + q.why_float);
  EXPECT_NE(module(choice, "model.layers.1.self_attn.o_proj").scheme, std::nullopt);
}

TEST_F(Choice, RefusesGroupsThatDoNotDivideAndNamesThoseThatDo) {
  request_.group_size = 64;
  auto wrong = error<base::UnsupportedError>();
  EXPECT_STREQ(wrong.what(), "cannot use groups of 64");
  EXPECT_EQ(wrong.why(),
            "model.layers.0.self_attn.q_proj has 32 columns, which 64 does not divide");
  EXPECT_EQ(wrong.fix(), "use --group-size 32 or -1 (one group for each row)");
  config_["hidden_size"] = 40;
  request_.format = find_format("compressed-tensors");
  request_.group_size = 32;
  checkpoint_.reset();
  wrong = error<base::UnsupportedError>();
  EXPECT_EQ(wrong.fix(), "use --group-size -1 (one group for each row)");
}

TEST_F(Choice, NamesGroupsThatDivideTheColumnsOfEveryModule) {
  config_["hidden_size"] = 64;
  config_["intermediate_size"] = 96;
  request_.group_size = 128;
  EXPECT_EQ(error<base::UnsupportedError>().fix(),
            "use --group-size 32 or -1 (one group for each row)");
}

TEST_F(Choice, TakesWholeRowsWhenAsked) {
  request_.group_size = 0;
  const ModuleChoice choice = choose();
  EXPECT_EQ(choice.scheme.group_size, 0U);
  EXPECT_TRUE(choice.notes.empty());
}

TEST_F(Choice, LeavesSkippedModulesFloat) {
  request_.skip = {"layers\\.0\\..*down_proj$", "o_proj"};
  const ModuleChoice choice = choose();
  for (const Module& module : choice.modules) {
    const bool skipped = module.name == "model.layers.0.mlp.down_proj" ||
                         module.name.ends_with("o_proj") || module.name == "lm_head";
    EXPECT_EQ(module.scheme.has_value(), !skipped) << module.name;
  }
  EXPECT_EQ(module(choice, "model.layers.1.self_attn.o_proj").why_float, "--skip names it");
}

TEST_F(Choice, MaySkipTheOutputMatrixThatStaysFloatAnyway) {
  request_.skip = {"lm_head"};
  EXPECT_EQ(module(choose(), "lm_head").scheme, std::nullopt);
}

TEST_F(Choice, OverridesByTheFirstMatch) {
  request_.overrides = {parse_override("layers\\.0\\..*down_proj=bits:8"),
                        parse_override("down_proj=bits:3,group:64"),
                        parse_override("o_proj=group:-1")};
  const ModuleChoice choice = choose();
  EXPECT_EQ(module(choice, "model.layers.0.mlp.down_proj").scheme, (Scheme{8, 32, true}));
  EXPECT_EQ(module(choice, "model.layers.1.mlp.down_proj").scheme, (Scheme{3, 64, true}));
  EXPECT_EQ(module(choice, "model.layers.1.self_attn.o_proj").scheme, (Scheme{4, 0, true}));
  EXPECT_EQ(module(choice, "model.layers.1.self_attn.q_proj").scheme, (Scheme{4, 32, true}));
}

TEST_F(Choice, SkipsWhatIsSkippedAndOverridden) {
  request_.skip = {"down_proj"};
  request_.overrides = {parse_override("proj=bits:8")};
  EXPECT_EQ(module(choose(), "model.layers.0.mlp.down_proj").scheme, std::nullopt);
}

TEST_F(Choice, RefusesOverridesWithGroupsThatDoNotDivide) {
  request_.overrides = {parse_override("down_proj=group:128")};
  const auto wrong = error<base::UnsupportedError>();
  EXPECT_STREQ(wrong.what(), "cannot use groups of 128");
  EXPECT_EQ(wrong.why(), "model.layers.0.mlp.down_proj has 64 columns, which 128 does not divide");
  EXPECT_EQ(wrong.fix(), "let --override say group:64, 32 or -1 (one group for each row)");
}

TEST_F(Choice, RefusesPatternsThatFindNothing) {
  request_.skip = {"layers\\.7"};
  auto wrong = error<base::UsageError>();
  EXPECT_STREQ(wrong.what(), "cannot use --skip 'layers\\.7'");
  EXPECT_EQ(wrong.why(), "no linear layer that would be quantized has a name that it is found in");
  EXPECT_EQ(wrong.fix(),
            "lq-inspect --tensors lists the names; those of linear layers count, without .weight, "
            "and lm_head with --lm-head");
  request_.skip.clear();
  request_.overrides = {parse_override("experts=bits:8")};
  wrong = error<base::UsageError>();
  EXPECT_STREQ(wrong.what(), "cannot use --override 'experts'");
  request_.overrides = {parse_override("lm_head=bits:8")};
  EXPECT_STREQ(error<base::UsageError>().what(), "cannot use --override 'lm_head'");
  request_.overrides = {parse_override("embed_tokens=bits:8")};
  EXPECT_STREQ(error<base::UsageError>().what(), "cannot use --override 'embed_tokens'");
}

TEST_F(Choice, RefusesPatternsThatAreNone) {
  request_.skip = {"layers.(0"};
  auto wrong = error<base::UsageError>();
  EXPECT_STREQ(wrong.what(), "cannot use --skip 'layers.(0'");
  EXPECT_TRUE(wrong.why().starts_with("it is no regular expression: ")) << wrong.why();
  EXPECT_EQ(wrong.fix(), "write an ECMAScript expression such as 'layers\\.0\\.' or 'down_proj'");
  request_.skip.clear();
  request_.overrides = {parse_override("[=bits:8")};
  EXPECT_STREQ(error<base::UsageError>().what(), "cannot use --override '['");
}

TEST_F(Choice, EscapesWhatItShowsOfPatterns) {
  request_.skip = {"a\x1b[31m("};
  EXPECT_STREQ(error<base::UsageError>().what(), "cannot use --skip 'a\\x1B[31m('");
}

TEST_F(Choice, RefusesMembersOfOneJoinedMatrixThatDiffer) {
  request_.skip = {"layers\\.1\\..*gate_proj"};
  auto wrong = error<base::UnsupportedError>();
  EXPECT_STREQ(wrong.what(),
               "cannot quantize model.layers.1.mlp.gate_proj and model.layers.1.mlp.up_proj in "
               "different ways");
  EXPECT_EQ(wrong.why(),
            "runtimes join them into one matrix, gate_up_proj; one would be float, the other 4 "
            "bits, groups of 32, symmetric");
  EXPECT_EQ(wrong.fix(), "let --skip and --override name all members or none of them");
  request_.skip.clear();
  request_.overrides = {parse_override("v_proj=bits:8")};
  wrong = error<base::UnsupportedError>();
  EXPECT_EQ(wrong.why(),
            "runtimes join them into one matrix, qkv_proj; one would be 4 bits, groups of 32, "
            "symmetric, the other 8 bits, groups of 32, symmetric");
  request_.overrides = {parse_override("[qkv]_proj=bits:8")};
  EXPECT_EQ(module(choose(), "model.layers.1.self_attn.v_proj").scheme, (Scheme{8, 32, true}));
}

}  // namespace
}  // namespace lq::hf
