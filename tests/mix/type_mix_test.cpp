#include "common/mix/type_mix.h"

#include <algorithm>
#include <cctype>
#include <gtest/gtest.h>
#include <map>

#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using codec::QuantType;
using mix::TensorChoice;
using model::GgufTensor;
using model::TensorRole;

GgufTensor tensor(std::string name, TensorRole role, int layer, std::vector<std::uint64_t> dims) {
  GgufTensor made;
  made.name = std::move(name);
  made.role = role;
  made.layer = layer;
  made.is_matrix = dims.size() == 2;
  made.dims = std::move(dims);
  return made;
}

/// Output, embeddings, and per layer a norm, v, o, down and up; in the order of a file.
std::vector<GgufTensor> small_model(int n_layers, std::uint64_t row = 256) {
  std::vector<GgufTensor> tensors = {
      tensor("output.weight", TensorRole::kOutput, -1, {row, 64}),
      tensor("token_embd.weight", TensorRole::kTokenEmbedding, -1, {row, 64})};
  for (int layer = 0; layer < n_layers; ++layer) {
    const std::string at = "blk." + std::to_string(layer) + ".";
    tensors.push_back(tensor(at + "attn_norm.weight", TensorRole::kAttnNorm, layer, {row}));
    tensors.push_back(
        tensor(at + "attn_output.weight", TensorRole::kAttnOutput, layer, {row, row}));
    tensors.push_back(tensor(at + "attn_v.weight", TensorRole::kAttnV, layer, {row, row}));
    tensors.push_back(tensor(at + "ffn_down.weight", TensorRole::kFfnDown, layer, {row, row}));
    tensors.push_back(tensor(at + "ffn_up.weight", TensorRole::kFfnUp, layer, {row, row}));
  }
  return tensors;
}

model::ModelConfig config(int n_layers) {
  model::ModelConfig made;
  made.architecture = "LlamaForCausalLM";
  made.n_layers = n_layers;
  made.n_heads = 8;
  made.n_kv_heads = 2;
  return made;
}

std::map<std::string, QuantType> types(const std::string& name, int n_layers,
                                       const mix::MixOverrides& overrides = {},
                                       std::uint64_t row = 256, bool weighted = false) {
  const auto tensors = small_model(n_layers, row);
  const auto choices =
      mix::choose_types(mix::find_file_type(name), tensors, config(n_layers), weighted, overrides);
  std::map<std::string, QuantType> by_name;
  for (std::size_t i = 0; i < tensors.size(); ++i) by_name[tensors[i].name] = choices[i].type;
  return by_name;
}

template <class F>
std::string usage_why(F&& code) {
  return error_of<base::UsageError>(std::forward<F>(code)).why();
}

TEST(FileTypes, AreFoundInAnyCaseAndByTheirFamily) {
  for (const mix::FileType& row : mix::file_types()) {
    EXPECT_EQ(&mix::find_file_type(row.name), &row);
    std::string lower(row.name);
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(&mix::find_file_type(lower), &row);
  }
  EXPECT_EQ(mix::find_file_type("q4_k").name, "Q4_K_M");
  EXPECT_EQ(mix::find_file_type("Q3_K").name, "Q3_K_M");
  EXPECT_EQ(mix::find_file_type("q5_K").name, "Q5_K_M");
}

TEST(FileTypes, NameTheNearestSpelling) {
  const auto error = error_of<base::UsageError>([] { mix::find_file_type("q4km"); });
  EXPECT_STREQ(error.what(), "unknown type 'q4km'");
  EXPECT_EQ(error.why(), "the nearest name is Q4_K_M");
  EXPECT_TRUE(error.fix().starts_with("use one of: F32, F16, Q4_0"));
  EXPECT_EQ(usage_why([] { mix::find_file_type("something\x1b"); }),
            "no type has a name like this");
  EXPECT_EQ(usage_why([] { mix::find_file_type("iq4_xs"); }),
            "tensors of this type can be read, but not written");
}

TEST(FileTypes, HaveDistinctIdsInAscendingOrder) {
  const auto rows = mix::file_types();
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_LT(rows[i - 1].id, rows[i].id);
}

TEST(TensorTypes, AreThoseThatCanBeWritten) {
  EXPECT_EQ(mix::find_tensor_type("q6_k"), QuantType::kQ6K);
  EXPECT_EQ(mix::find_tensor_type("F16"), QuantType::kF16);
  EXPECT_EQ(usage_why([] { mix::find_tensor_type("Q6_L"); }), "the nearest name is Q6_K");
  EXPECT_THROW(mix::find_tensor_type("I8"), base::UsageError);
}

TEST(ChooseTypes, GivesTheWorkedExampleOfTheFormatNotes) {
  const auto chosen = types("Q4_K_M", 32);
  for (int layer = 0; layer < 32; ++layer) {
    const bool more = layer < 4 || layer >= 28 || (layer - 4) % 3 == 2;
    const std::string at = "blk." + std::to_string(layer) + ".";
    EXPECT_EQ(chosen.at(at + "attn_v.weight"), more ? QuantType::kQ6K : QuantType::kQ4K) << layer;
    EXPECT_EQ(chosen.at(at + "ffn_down.weight"), more ? QuantType::kQ6K : QuantType::kQ4K) << layer;
    EXPECT_EQ(chosen.at(at + "ffn_up.weight"), QuantType::kQ4K);
    EXPECT_EQ(chosen.at(at + "attn_norm.weight"), QuantType::kF32);
  }
  EXPECT_EQ(chosen.at("output.weight"), QuantType::kQ6K);
  EXPECT_EQ(chosen.at("token_embd.weight"), QuantType::kQ4K);
}

TEST(ChooseTypes, UsesImportanceInTheSimpleTypes) {
  EXPECT_EQ(types("Q4_0", 8, {}, 256, true).at("blk.0.ffn_down.weight"), QuantType::kQ4_1);
  EXPECT_EQ(types("Q4_0", 8, {}, 256, true).at("blk.1.ffn_down.weight"), QuantType::kQ4_0);
  EXPECT_EQ(types("Q4_0", 8).at("blk.0.ffn_down.weight"), QuantType::kQ4_0);
}

TEST(ChooseTypes, GivesPlainFilesOneType) {
  for (const auto& [name, type] : types("BF16", 4)) {
    EXPECT_EQ(type, name.find("norm") == std::string::npos ? QuantType::kBF16 : QuantType::kF32)
        << name;
  }
}

TEST(ChooseTypes, FollowsTheUser) {
  const auto pure = types("Q4_K_M", 8, {.pure = true});
  EXPECT_EQ(pure.at("output.weight"), QuantType::kQ4K);
  EXPECT_EQ(pure.at("blk.0.attn_v.weight"), QuantType::kQ4K);
  const auto wished = types("Q4_K_M", 8,
                            {.patterns = {{"attn_v", QuantType::kQ8_0},
                                          {"blk\\.0\\.", QuantType::kF16},
                                          {"output", QuantType::kQ5K}},
                             .output = QuantType::kQ8_0,
                             .embedding = QuantType::kQ5_1});
  EXPECT_EQ(wished.at("blk.0.attn_v.weight"), QuantType::kQ8_0);  // the first pattern wins
  EXPECT_EQ(wished.at("blk.0.ffn_up.weight"), QuantType::kF16);
  EXPECT_EQ(wished.at("blk.0.attn_norm.weight"), QuantType::kF32);
  EXPECT_EQ(wished.at("blk.1.attn_output.weight"), QuantType::kQ5K);
  EXPECT_EQ(wished.at("output.weight"), QuantType::kQ8_0);  // and its own option wins over patterns
  EXPECT_EQ(wished.at("token_embd.weight"), QuantType::kQ5_1);
}

TEST(ChooseTypes, GivesTheOutputTypeToTiedEmbeddings) {
  auto tensors = small_model(2);
  std::erase_if(tensors, [](const GgufTensor& t) { return t.role == TensorRole::kOutput; });
  const auto type_of_embeddings = [&](const mix::MixOverrides& overrides) {
    return mix::choose_types(mix::find_file_type("Q4_K_M"), tensors, config(2), false, overrides)[0]
        .type;
  };
  EXPECT_EQ(type_of_embeddings({}), QuantType::kQ6K);
  EXPECT_EQ(type_of_embeddings({.output = QuantType::kQ5K}), QuantType::kQ5K);
  EXPECT_EQ(type_of_embeddings({.output = QuantType::kQ5K, .embedding = QuantType::kQ8_0}),
            QuantType::kQ8_0);
}

TEST(ChooseTypes, RefusesPatternsThatAreBrokenOrMatchNothing) {
  const auto with = [](const std::string& regex) {
    return error_of<base::UsageError>([&] {
      types("Q4_K_M", 2, {.patterns = {{regex, QuantType::kQ8_0}}});
    });
  };
  EXPECT_STREQ(with("(").what(), "cannot use the pattern '('");
  EXPECT_TRUE(with("(").why().starts_with("it is not a regular expression: "));
  EXPECT_STREQ(with("ATTN_V").what(), "the pattern 'ATTN_V' chooses nothing");
  EXPECT_STREQ(with("attn_norm").what(), "the pattern 'attn_norm' chooses nothing");
  EXPECT_EQ(usage_why([] { types("Q4_K_M", 2, {.output = QuantType::kI8}); }),
            "this type is only read");
}

TEST(ChooseTypes, FallsBackWhereBlocksDoNotDivideRows) {
  const auto by_32 = types("Q4_K_M", 8, {}, 576);
  EXPECT_EQ(by_32.at("blk.1.ffn_up.weight"), QuantType::kQ5_0);
  EXPECT_EQ(by_32.at("blk.0.ffn_down.weight"), QuantType::kQ8_0);
  EXPECT_EQ(by_32.at("output.weight"), QuantType::kQ8_0);
  EXPECT_EQ(types("Q5_K_S", 2, {}, 576).at("blk.0.ffn_up.weight"), QuantType::kQ5_1);
  EXPECT_EQ(types("Q3_K_S", 2, {}, 576).at("blk.0.ffn_up.weight"), QuantType::kQ4_0);
  EXPECT_EQ(types("Q4_K_M", 2, {}, 48).at("blk.0.ffn_up.weight"), QuantType::kF16);
}

TEST(ChooseTypes, SaysWhatFellBack) {
  const auto tensors = small_model(1, 576);
  const auto choices =
      mix::choose_types(mix::find_file_type("Q5_K_S"), tensors, config(1), false, {});
  EXPECT_EQ(choices[3].fallback_from, QuantType::kQ5K);
  const auto notes = mix::fallback_notes(tensors, choices);
  ASSERT_EQ(notes.size(), 1);
  EXPECT_EQ(notes[0],
            "5 tensors become Q5_1 instead of Q5_K, because rows are no multiple of 256 (the first "
            "is token_embd.weight "
            "with rows of 576)");
  EXPECT_TRUE(
      mix::fallback_notes(small_model(1), mix::choose_types(mix::find_file_type("Q5_K_S"),
                                                            small_model(1), config(1), false, {}))
          .empty());
}

TEST(NeedsImportance, HoldsForCoarseMatricesOfTheSmallestFile) {
  const auto tensors = small_model(8);
  const mix::FileType& smallest = mix::find_file_type("Q2_K_S");
  const auto choices = mix::choose_types(smallest, tensors, config(8), true, {});
  std::vector<std::string> needing;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (mix::needs_importance(smallest, tensors[i], choices[i])) needing.push_back(tensors[i].name);
  }
  EXPECT_EQ(std::ranges::count(needing, "blk.7.ffn_up.weight"), 1);
  EXPECT_EQ(std::ranges::count(needing, "token_embd.weight"), 0);
  EXPECT_EQ(std::ranges::count(needing, "blk.0.ffn_down.weight"), 0);  // Q4_K
  EXPECT_FALSE(mix::needs_importance(mix::find_file_type("Q2_K"), tensors[6],
                                     {QuantType::kQ2K, std::nullopt}));
}

}  // namespace
}  // namespace lq::testing
