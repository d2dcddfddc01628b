#include "common/text/vocabulary.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/text/token_table.h"
#include "tests/support/scratch.h"
#include "tests/text/sentencepiece_file.h"

namespace lq::testing {
namespace {

using nlohmann::json;
using text::TokenType;
using text::Vocabulary;
using text::VocabularyKind;
using Texts = std::vector<std::string>;

json byte_level_tokenizer() {
  return json::parse(R"({
    "added_tokens": [{"id": 4, "content": "<s>", "special": true}, {"id": 5, "content": "x\u2581y", "special": false}],
    "pre_tokenizer": {"type": "ByteLevel"}, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "\u0120": 3}, "merges": ["a b"]}})");
}

/// In the style of Llama 2: byte fallback, a space before the text, a template that begins with
/// <s>.
json fallback_tokenizer() {
  return json::parse(R"({
    "added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true},
                     {"id": 2, "content": "</s>", "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"}]},
    "pre_tokenizer": null,
    "post_processor": {"type": "TemplateProcessing",
                       "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]},
    "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}]},
    "model": {"type": "BPE", "unk_token": "<unk>", "byte_fallback": true,
              "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "<0x0A>": 3, "\u2581": 4, "a": 5, "b": 6, "ab": 7, "\u2581ab": 8},
              "merges": ["a b", "\u2581 ab", "\u2581a b"]}})");
}

struct Files {
  explicit Files(const json& tokenizer, const json& config = json()) {
    if (!tokenizer.is_null()) scratch.write("tokenizer.json", tokenizer.dump());
    if (!config.is_null()) scratch.write("tokenizer_config.json", config.dump());
  }
  Vocabulary read(std::int64_t vocab_size,
                  const std::map<std::string, std::uint32_t>& ids = {}) const {
    return text::read_vocabulary(scratch.path(), vocab_size, ids);
  }
  ScratchDirectory scratch;
};

template <class E>
std::string why(const json& tokenizer, std::int64_t vocab_size = 6) {
  const Files files(tokenizer);
  return error_of<E>([&] { files.read(vocab_size); }).why();
}

TEST(Vocabulary, OfByteLevelBpeHasTokensTypesAndMerges) {
  const Vocabulary vocabulary = Files(byte_level_tokenizer()).read(7);
  EXPECT_EQ(vocabulary.kind, VocabularyKind::kByteLevelBpe);
  EXPECT_EQ(vocabulary.pre, "gpt-2");
  EXPECT_EQ(vocabulary.tokens, (Texts{"a", "b", "ab", "\u0120", "<s>", "x y", "[PAD6]"}));
  EXPECT_EQ(vocabulary.types,
            (std::vector<TokenType>{TokenType::kNormal, TokenType::kNormal, TokenType::kNormal,
                                    TokenType::kNormal, TokenType::kControl,
                                    TokenType::kUserDefined, TokenType::kUnused}));
  EXPECT_EQ(vocabulary.merges, (Texts{"a b"}));
  EXPECT_TRUE(vocabulary.scores.empty());
}

TEST(Vocabulary, TakesMergesAsPairsAndKeepsTheirSpaces) {
  json tokenizer = byte_level_tokenizer();
  tokenizer["model"]["merges"] = json::parse(R"([["a", "b"], [" a", " "]])");
  EXPECT_EQ(Files(tokenizer).read(6).merges, (Texts{"a b", "\u0120a \u0120"}));
}

TEST(Vocabulary, WithByteFallbackScoresTokensByTheFirstMergeThatMakesThem) {
  const Vocabulary vocabulary = Files(fallback_tokenizer()).read(10);
  EXPECT_EQ(vocabulary.kind, VocabularyKind::kSentencePieceBpe);
  EXPECT_EQ(vocabulary.pre, "default");
  EXPECT_EQ(vocabulary.scores,
            (std::vector<float>{-1000, -1000, -1000, 0, 0, 0, 0, 0, -1, -10000}));
  EXPECT_EQ(vocabulary.types[3], TokenType::kByte);
  EXPECT_EQ(vocabulary.types[1], TokenType::kControl);
  EXPECT_EQ(vocabulary.types[9], TokenType::kUnused);
  EXPECT_EQ(vocabulary.add_space_prefix, true);
  EXPECT_TRUE(vocabulary.merges.empty());
}

TEST(Vocabulary, AddsNoSpaceInFrontWhereTheTokenizerDoesNot) {
  json tokenizer = fallback_tokenizer();
  tokenizer["normalizer"] = nullptr;
  EXPECT_EQ(Files(tokenizer).read(9).add_space_prefix, false);
  tokenizer["pre_tokenizer"] = {{"type", "Metaspace"}, {"prepend_scheme", "first"}};
  EXPECT_EQ(Files(tokenizer).read(9).add_space_prefix, true);
  tokenizer["pre_tokenizer"]["prepend_scheme"] = "never";
  EXPECT_EQ(Files(tokenizer).read(9).add_space_prefix, false);
}

TEST(Vocabulary, TakesBeginAndEndFromTheTemplateUnlessTheConfigSaysOtherwise) {
  json tokenizer = fallback_tokenizer();
  const json names = {{"bos_token", "<s>"}, {"eos_token", {{"content", "</s>"}}}};
  Vocabulary vocabulary = Files(tokenizer, names).read(9);
  EXPECT_EQ(vocabulary.special_ids.at("bos"), 1);
  EXPECT_EQ(vocabulary.special_ids.at("eos"), 2);
  EXPECT_EQ(vocabulary.add_bos, true);
  EXPECT_EQ(vocabulary.add_eos, false);
  tokenizer["post_processor"]["single"].push_back({{"SpecialToken", {{"id", "</s>"}}}});
  EXPECT_EQ(Files(tokenizer, names).read(9).add_eos, true);
  json config = names;
  config["add_bos_token"] = false;
  config["add_eos_token"] = nullptr;
  vocabulary = Files(tokenizer, config).read(9);
  EXPECT_EQ(vocabulary.add_bos, false);
  EXPECT_EQ(vocabulary.add_eos, true);
}

TEST(Vocabulary, FindsTheTemplateInsideASequence) {
  json tokenizer = fallback_tokenizer();
  const json processor = tokenizer["post_processor"];
  tokenizer["post_processor"] = {{"type", "Sequence"},
                                 {"processors", {{{"type", "ByteLevel"}}, processor}}};
  const Vocabulary vocabulary = Files(tokenizer).read(9);
  EXPECT_EQ(vocabulary.add_bos, true);
  EXPECT_EQ(vocabulary.special_ids.at("bos"), 1);  // that no other file names
}

TEST(Vocabulary, PrefersNamedTokensOverIdsOfTheConfig) {
  const Files files(fallback_tokenizer(), {{"bos_token", "<s>"}, {"pad_token", nullptr}});
  files.scratch.write("special_tokens_map.json", R"({"bos_token": "</s>", "eos_token": "</s>"})");
  const Vocabulary vocabulary = files.read(9, {{"bos", 5}, {"padding", 4}, {"mask", 99}});
  EXPECT_EQ(vocabulary.special_ids.at("bos"), 1);
  EXPECT_EQ(vocabulary.special_ids.at("eos"), 2);
  EXPECT_EQ(vocabulary.special_ids.at("padding"), 4);
  EXPECT_FALSE(vocabulary.special_ids.contains("mask"));
}

TEST(Vocabulary, NamesTheEndOfATurnAndOfAMessage) {
  json tokenizer = byte_level_tokenizer();
  tokenizer["added_tokens"].push_back({{"id", 6}, {"content", "<|eom_id|>"}, {"special", true}});
  tokenizer["added_tokens"].push_back({{"id", 7}, {"content", "<|eot_id|>"}, {"special", true}});
  const Vocabulary vocabulary = Files(tokenizer).read(8);
  EXPECT_EQ(vocabulary.special_ids.at("eom"), 6);
  EXPECT_EQ(vocabulary.special_ids.at("eot"), 7);
}

TEST(Vocabulary, OfSentencePieceHasItsScores) {
  const Files files{json()};
  files.scratch.write("tokenizer.model", piece("<unk>", 0, 2) + piece("<s>", 0, 3) +
                                             piece("<0x0A>", 0, 6) + piece("\u2581a", -3, 1) +
                                             model_kind(2));
  files.scratch.write("added_tokens.json", R"({"<tool>": 4, "<late>": 99})");
  files.scratch.write("tokenizer_config.json",
                      R"({"bos_token": "<s>", "unk_token": "<unk>",
                          "added_tokens_decoder": {"5": {"content": "<|im_end|>", "special": false}, "x": 1}})");
  const Vocabulary vocabulary = files.read(7);
  EXPECT_EQ(vocabulary.kind, VocabularyKind::kSentencePieceBpe);
  EXPECT_EQ(vocabulary.tokens,
            (Texts{"<unk>", "<s>", "<0x0A>", "\u2581a", "<tool>", "<|im_end|>", "[PAD6]"}));
  EXPECT_EQ(vocabulary.scores, (std::vector<float>{0, 0, 0, -3, -1000, -1000, -10000}));
  EXPECT_EQ(vocabulary.types,
            (std::vector<TokenType>{TokenType::kUnknown, TokenType::kControl, TokenType::kByte,
                                    TokenType::kNormal, TokenType::kUserDefined,
                                    TokenType::kControl, TokenType::kUnused}));
  EXPECT_EQ(vocabulary.special_ids.at("bos"), 1);
  EXPECT_EQ(vocabulary.special_ids.at("unknown"), 0);
  EXPECT_EQ(vocabulary.special_ids.at("eot"), 5);
  EXPECT_EQ(vocabulary.add_bos, true);
  EXPECT_EQ(vocabulary.add_space_prefix, true);
}

TEST(Vocabulary, TakesTheSentencePieceModelOnlyIfItHasTheSamePieces) {
  const Files files(fallback_tokenizer());
  std::string model;
  for (const char* text :
       {"<unk>", "<s>", "</s>", "<0x0A>", "\u2581", "a", "b", "ab", "\u2581ab"}) {
    model += piece(text, -7, 1);
  }
  files.scratch.write("tokenizer.model", model);
  EXPECT_EQ(files.read(9).source.filename(), "tokenizer.model");
  EXPECT_EQ(files.read(9).scores[8], -7);
  files.scratch.write("tokenizer.model", model + piece("new", -7, 1));
  EXPECT_EQ(files.read(9).source.filename(), "tokenizer.json");
  files.scratch.write("tokenizer.model", "IQ== 0\n");
  EXPECT_EQ(files.read(9).source.filename(), "tokenizer.json");
}

TEST(Vocabulary, RefusesTokenizersThatItCannotExpress) {
  json tokenizer = byte_level_tokenizer();
  tokenizer["model"]["type"] = "Unigram";
  EXPECT_EQ(why<base::UnsupportedError>(tokenizer), "its model is Unigram, not BPE");
  tokenizer = byte_level_tokenizer();
  tokenizer["pre_tokenizer"] = tokenizer["decoder"] = nullptr;
  EXPECT_EQ(why<base::UnsupportedError>(tokenizer),
            "its BPE model has neither byte-level pieces nor byte fallback");
  const Files unigram{json()};
  unigram.scratch.write("tokenizer.model", piece("a", 0, 1) + model_kind(1));
  EXPECT_EQ(error_of<base::UnsupportedError>([&] { unigram.read(1); }).why(),
            "it is a SentencePiece model, but not of kind BPE");
  unigram.scratch.write("tokenizer.model", "IQ== 0\n");
  EXPECT_EQ(error_of<base::UnsupportedError>([&] { unigram.read(1); }).why(),
            "it is not a SentencePiece model");
}

TEST(Vocabulary, NamesTheFilesThatAreMissing) {
  const Files files{json()};
  const auto error = error_of<base::ModelNotFoundError>([&] { files.read(5); });
  EXPECT_EQ(error.why(), "neither tokenizer.json nor tokenizer.model is in this directory");
  files.scratch.write("vocab.json", "{}");
  EXPECT_EQ(error_of<base::ModelNotFoundError>([&] { files.read(5); }).why(),
            "neither tokenizer.json nor tokenizer.model is in this directory; vocab.json alone "
            "does not say how text is split");
}

TEST(Vocabulary, SaysWhatIsBroken) {
  EXPECT_EQ(why<base::ValidationError>(byte_level_tokenizer(), 3),
            "token '\u0120' has id 3, but vocab_size in config.json is 3");
  EXPECT_EQ(why<base::ValidationError>(byte_level_tokenizer(), 5),
            "the added token 'x\u2581y' has id 5, but vocab_size in config.json is 5");
  json tokenizer = byte_level_tokenizer();
  tokenizer["model"]["vocab"]["b"] = 0;
  EXPECT_EQ(why<base::ValidationError>(tokenizer), "tokens 'a' and 'b' share the id 0");
  tokenizer = byte_level_tokenizer();
  tokenizer["added_tokens"][0]["content"] = "ab";
  EXPECT_EQ(why<base::ValidationError>(tokenizer), "ids 2 and 4 have the same text 'ab'");
  tokenizer = byte_level_tokenizer();
  tokenizer["model"]["merges"] = {"a b c"};
  EXPECT_EQ(why<base::ValidationError>(tokenizer), "merge number 0 is not a pair of tokens");
  tokenizer["model"].erase("merges");
  EXPECT_EQ(why<base::ValidationError>(tokenizer), "its model has no list of merges");
  tokenizer["model"]["vocab"] = 5;
  EXPECT_EQ(why<base::ValidationError>(tokenizer), "it has no model with a vocabulary");
  tokenizer = byte_level_tokenizer();
  tokenizer["model"]["vocab"]["b"] = "one";
  EXPECT_EQ(why<base::ValidationError>(tokenizer), "token 'b' has no id");
  EXPECT_EQ(why<base::ValidationError>(json::array()), "it has no model with a vocabulary");
}

TEST(Vocabulary, CarriesTheChatTemplateOfTheFirstPlaceThatHasOne) {
  const Files files(byte_level_tokenizer());
  EXPECT_EQ(files.read(6).chat_template, "");
  files.scratch.write("chat_template.json", R"({"chat_template": "third"})");
  EXPECT_EQ(files.read(6).chat_template, "third");
  files.scratch.write("tokenizer_config.json", R"({"chat_template": "second"})");
  EXPECT_EQ(files.read(6).chat_template, "second");
  files.scratch.write("chat_template.jinja", "first");
  std::filesystem::create_directory(files.scratch.path() / "additional_chat_templates");
  files.scratch.write("additional_chat_templates/tool-use.jinja", "other");
  EXPECT_EQ(files.read(6).chat_template, "first");
  EXPECT_EQ(files.read(6).named_templates,
            (std::map<std::string, std::string>{{"tool_use", "other"}}));
  files.scratch.write("chat_template.jinja", "\xff");
  EXPECT_EQ(error_of<base::ValidationError>([&] { files.read(6); }).why(), "it is not UTF-8 text");
}

TEST(Vocabulary, SaysWhyTheFolderOfChatTemplatesCannotBeRead) {
  const Files files(byte_level_tokenizer());
  const auto folder = files.scratch.path() / "additional_chat_templates";
  std::filesystem::create_symlink(folder, folder);
  const auto error = error_of<base::ValidationError>([&] { files.read(6); });
  EXPECT_EQ(error.what(), "cannot list the chat templates in " + folder.string());
  EXPECT_EQ(error.why(), "Too many levels of symbolic links");
}

TEST(Vocabulary, OfTwoTemplatesWithOneKeyTakesTheFirstByName) {
  const Files files(byte_level_tokenizer());
  std::filesystem::create_directory(files.scratch.path() / "additional_chat_templates");
  for (const std::string name : {"a+b", "a b", "a-b", "a_b", "a.b"}) {
    files.scratch.write("additional_chat_templates/" + name + ".jinja", name);
  }
  EXPECT_EQ(files.read(6).named_templates, (std::map<std::string, std::string>{{"a_b", "a b"}}));
}

TEST(LooksSpecial, KnowsTheUsualSpellings) {
  for (const char* text :
       {"<pad>", "<mask>", "<2mass>", "[@BOS@]", "<|x|>", "<\uFF5Cx\uFF5C>", "<unused7>"}) {
    EXPECT_TRUE(text::looks_special(text)) << text;
  }
  for (const char* text : {"", "<|", "<s>", "<|x>", "pad", "<unused"}) {
    EXPECT_FALSE(text::looks_special(text)) << text;
  }
}

}  // namespace
}  // namespace lq::testing
