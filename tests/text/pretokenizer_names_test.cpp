#include "common/text/pretokenizer_names.h"

#include <gtest/gtest.h>

namespace lq::testing {
namespace {

using nlohmann::json;
using text::pretokenizer_name;
using text::pretokenizer_named;

json split(const std::string& regex) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", regex}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}
json byte_level(bool use_regex) { return {{"type", "ByteLevel"}, {"use_regex", use_regex}}; }
json digits(bool individual) { return {{"type", "Digits"}, {"individual_digits", individual}}; }
json sequence(std::vector<json> members) {
  return {{"type", "Sequence"}, {"pretokenizers", std::move(members)}};
}
json spelled(const std::string& regex) { return sequence({split(regex), byte_level(false)}); }

// As the tokenizers of these families have them.
const std::string kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const std::string kDeepseekWords =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

TEST(PretokenizerName, IsToldByTheListOfSteps) {
  EXPECT_EQ(pretokenizer_name(byte_level(true)), "gpt-2");
  EXPECT_EQ(pretokenizer_name({{"type", "ByteLevel"}}), "gpt-2");
  EXPECT_EQ(pretokenizer_name(sequence({digits(true), byte_level(true)})), "starcoder");
  EXPECT_EQ(pretokenizer_name(spelled(kLlama3)), "llama-bpe");
  EXPECT_EQ(pretokenizer_name(spelled(kQwen2)), "qwen2");
  EXPECT_EQ(pretokenizer_name(spelled(kQwen35)), "qwen35");
  EXPECT_EQ(pretokenizer_name(spelled(kO200k)), "gpt-4o");
  EXPECT_EQ(pretokenizer_name(spelled(kTekken)), "tekken");
  EXPECT_EQ(pretokenizer_name(sequence({split(R"(\p{N}{1,3})"), split("[一-龥぀-ゟ゠-ヿ]+"),
                                        split(kDeepseekWords), byte_level(false)})),
            "deepseek-v3");
  EXPECT_EQ(pretokenizer_name(
                sequence({split(R"([\r\n])"), split(R"(\s?\p{L}+)"), split(R"(\s?\p{P}+)"),
                          split("[一-龥ࠀ-一가-퟿]+"), digits(true), byte_level(false)})),
            "deepseek-coder");
  EXPECT_EQ(pretokenizer_name(sequence({{{"type", "Punctuation"}, {"behavior", "Contiguous"}},
                                        byte_level(true),
                                        digits(false),
                                        split("[0-9][0-9][0-9]")})),
            "falcon");
  EXPECT_EQ(pretokenizer_name(
                {{"type", "Split"}, {"pattern", {{"String", "\n"}}}, {"behavior", "Isolated"}}),
            "gemma4");
}

TEST(PretokenizerName, IsTheSameInOtherDialects) {
  // tiktoken's way of writing the same, possessive and with another spelling of the contractions.
  EXPECT_EQ(
      pretokenizer_name(spelled(
          R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)|\s+)")),
      "llama-bpe");
  json removed = split(kLlama3);
  removed["behavior"] = "Removed";
  removed["invert"] = true;
  EXPECT_EQ(pretokenizer_name(sequence({removed, byte_level(false)})), "llama-bpe");
}

TEST(PretokenizerName, IsEmptyForAnythingElse) {
  EXPECT_EQ(pretokenizer_name(nullptr), "");
  EXPECT_EQ(pretokenizer_name(json::array()), "");
  EXPECT_EQ(pretokenizer_name(byte_level(false)), "");
  EXPECT_EQ(pretokenizer_name({{"type", "Whitespace"}}), "");
  EXPECT_EQ(pretokenizer_name({{"type", "Split"}}), "");
  EXPECT_EQ(pretokenizer_name(spelled(kLlama3 + "|x")), "");
  EXPECT_EQ(pretokenizer_name(sequence({split(kLlama3), byte_level(true)})), "");
  EXPECT_EQ(pretokenizer_name(sequence({split(kLlama3), digits(true), byte_level(false)})), "");
  EXPECT_EQ(pretokenizer_name(sequence({digits(false), byte_level(true)})), "");
  EXPECT_EQ(pretokenizer_name(sequence({sequence({byte_level(true)})})), "");
  json merged = split(kLlama3);
  merged["behavior"] = "MergedWithNext";
  EXPECT_EQ(pretokenizer_name(sequence({merged, byte_level(false)})), "");
}

TEST(PretokenizerNamed, IsKnownByTheSameName) {
  for (const char* name : {"gpt-2", "starcoder", "llama-bpe", "qwen2", "qwen35", "gpt-4o", "tekken",
                           "deepseek-v3", "deepseek-coder", "falcon", "gemma4"}) {
    const auto named = pretokenizer_named(name);
    ASSERT_TRUE(named) << name;
    EXPECT_EQ(pretokenizer_name(named->pre_tokenizer), name);
  }
}

TEST(PretokenizerNamed, EndsWithBytes) {
  EXPECT_EQ(pretokenizer_named("gpt-2")->pre_tokenizer,
            sequence({{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}}));
  EXPECT_EQ(pretokenizer_named("qwen2")->pre_tokenizer["pretokenizers"].back(),
            (json{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}));
  EXPECT_EQ(pretokenizer_named("falcon")->pre_tokenizer["pretokenizers"].size(), 4U);
}

TEST(PretokenizerNamed, TellsWhatItsFamilyDoes) {
  EXPECT_EQ(pretokenizer_named("qwen2")->normalizer, (json{{"type", "NFC"}}));
  EXPECT_FALSE(pretokenizer_named("qwen2")->ignores_merges);
  EXPECT_FALSE(pretokenizer_named("qwen2")->begins_with_bos);
  EXPECT_TRUE(pretokenizer_named("tekken")->normalizer.is_null());
  EXPECT_TRUE(pretokenizer_named("tekken")->ignores_merges);
  EXPECT_TRUE(pretokenizer_named("tekken")->begins_with_bos);
}

TEST(PretokenizerNamed, IsKnownByOtherNames) {
  EXPECT_EQ(pretokenizer_name(pretokenizer_named("smollm")->pre_tokenizer), "starcoder");
  EXPECT_TRUE(pretokenizer_named("llama3")->ignores_merges);
  EXPECT_FALSE(pretokenizer_named("default"));
  EXPECT_FALSE(pretokenizer_named(""));
}

TEST(NormalizedRegex, LosesPossessiveMarksOnly) {
  EXPECT_EQ(text::normalize_split_regex(R"(a++|b?+|c*+|\p{N}{1,3}+)"), R"(a+|b?|c*|\p{N}{1,3})");
  EXPECT_EQ(text::normalize_split_regex(R"(\p{L}+|[*+?+]|\++|a+)"), R"(\p{L}+|[*+?+]|\++|a+)");
}

}  // namespace
}  // namespace lq::testing
