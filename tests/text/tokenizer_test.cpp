#include "common/text/tokenizer.h"

#include <gtest/gtest.h>
#include <thread>

#include "tests/support/scratch.h"
#include "tests/text/piece_showing_tokenizer.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

const fs::path kData = LQ_TEST_DATA;

/// Bytes are ids 0 to 255 at the beginning of a piece and 256 to 511 within; added tokens follow.
Ids ids_of(const json& tokenizer, const std::string& text) {
  return text::Tokenizer(tokenizer, "m/tokenizer.json").encode(text, true).ids;
}

TEST(Tokenizer, OfTheBundledModelHasTheIdsOfTheReference) {
  const text::Tokenizer tokenizer = text::open_tokenizer(kData / "tiny-llama");
  const json cases = json::parse(read_file(kData / "tiny-llama-golden" / "tokens.json"));
  ASSERT_GT(cases.size(), 10);
  for (const json& one : cases) {
    const auto text = one["text"].get<std::string>();
    EXPECT_EQ(json(tokenizer.encode(text, true).ids), one["ids"]) << one["text"];
    EXPECT_EQ(json(tokenizer.encode(text, false).ids), one["ids_no_special"]) << one["text"];
  }
  EXPECT_EQ(tokenizer.vocab_size(), 2048);
  ASSERT_TRUE(tokenizer.bos_id().has_value());
  EXPECT_EQ(tokenizer.encode("", true).ids.front(), *tokenizer.bos_id());
}

TEST(Tokenizer, FindsAddedTokensWithTheirFlags) {
  const json plain = piece_showing_tokenizer(nullptr, nullptr);
  EXPECT_EQ(ids_of(plain, "x<a>y"), (Ids{'x', 512, 'y'}));
  EXPECT_EQ(ids_of(plain, "x <b> y"), (Ids{'x', 513, ' ', 256 + 'y'}));
  EXPECT_EQ(ids_of(plain, "x <c> y"), (Ids{'x', 256 + ' ', 514, 'y'}));
  EXPECT_EQ(ids_of(plain, "<d>,"), (Ids{515, ','}));
  EXPECT_EQ(ids_of(plain, "<d>y").size(), 4);
  EXPECT_EQ(ids_of(plain, "<E> "), (Ids{517}));
}

TEST(Tokenizer, FindsNormalizedAddedTokensInTheNormalizedText) {
  const json lower = piece_showing_tokenizer({{"type", "Lowercase"}}, nullptr);
  EXPECT_EQ(ids_of(lower, "X<E>Y"), (Ids{'x', 516, 'y'}));
  EXPECT_EQ(ids_of(lower, "<A>").size(), 3);
  EXPECT_EQ(ids_of(lower, "<a>"), (Ids{512}));
}

TEST(Tokenizer, GivesAddedTokensTheirIdInTheVocabularyOrTheNextFreeOne) {
  json tokenizer = piece_showing_tokenizer(nullptr, nullptr);
  tokenizer["added_tokens"] = {added_token("x", "", false, true),
                               added_token("yy", "", false, true)};
  tokenizer["added_tokens"][1]["id"] = 9999;
  EXPECT_EQ(ids_of(tokenizer, "xyy"), (Ids{'x', 512}));
}

TEST(Tokenizer, TellsTheTextOfEveryToken) {
  const text::Tokenizer tokenizer(piece_showing_tokenizer(nullptr, nullptr), "m/tokenizer.json");
  EXPECT_EQ(tokenizer.piece(' '), "\u0120");
  EXPECT_EQ(tokenizer.piece(256 + 'a'), "##a");
  EXPECT_EQ(tokenizer.piece(513), "<b>");
  EXPECT_EQ(tokenizer.piece(99999), "");
  EXPECT_EQ(tokenizer.vocab_size(), 518);
  EXPECT_FALSE(tokenizer.bos_id().has_value());
}

TEST(Tokenizer, MakesTheTextOfTheBundledModelsIds) {
  const text::Tokenizer tokenizer = text::open_tokenizer(kData / "tiny-llama");
  const std::string bos = tokenizer.piece(tokenizer.bos_id().value());
  for (const json& one : json::parse(read_file(kData / "tiny-llama-golden" / "tokens.json"))) {
    const auto text = one["text"].get<std::string>();
    EXPECT_EQ(tokenizer.decode(one["ids_no_special"].get<Ids>()), text);
    EXPECT_EQ(tokenizer.decode(one["ids"].get<Ids>()), bos + text);
  }
}

TEST(Tokenizer, ShowsAddedTokensAndLeavesOutSpecialOnesWhereAsked) {
  json tokenizer = piece_showing_tokenizer(nullptr, nullptr);
  tokenizer["decoder"] = {{"type", "ByteLevel"}};
  const text::Tokenizer byte_level(tokenizer, "m/tokenizer.json");
  const Ids ids = {'x', 512, 256 + ' ', 514, 0xC3, 0xA9, 0xFF, 99999};
  EXPECT_EQ(byte_level.decode(ids), "x<a>## <c>\u00E9\uFFFD");
  EXPECT_EQ(byte_level.decode(ids, true), "x## <c>\u00E9\uFFFD");
  EXPECT_EQ(byte_level.decode({}), "");
}

TEST(Tokenizer, PutsSpacesBetweenTokensWithoutADecoder) {
  json tokenizer = piece_showing_tokenizer(nullptr, nullptr);
  tokenizer["model"]["vocab"][""] = 600;
  const text::Tokenizer plain(tokenizer, "m/tokenizer.json");
  EXPECT_EQ(plain.decode(Ids{'x', 513, 'y'}), "x <a> y");
  EXPECT_EQ(plain.decode(Ids{'x', 513, 'y'}, true), "x y");
  // The empty token is one, an id that none has is not.
  EXPECT_EQ(plain.decode(Ids{'x', 600, 'y', 599}), "x  y");
}

TEST(Tokenizer, RefusesADecoderThatItDoesNotKnowWhenATextIsAskedFor) {
  json tokenizer = piece_showing_tokenizer(nullptr, nullptr);
  tokenizer["decoder"] = {{"type", "CTC"}};
  const text::Tokenizer opened(tokenizer, "m/tokenizer.json");
  EXPECT_EQ(opened.encode("a", true).ids, (Ids{'a'}));
  const auto error = error_of<base::UnsupportedError>([&] { opened.decode(Ids{'a'}); });
  EXPECT_STREQ(error.what(), "cannot use the tokenizer m/tokenizer.json");
  EXPECT_EQ(error.why(), "its decoder is of the unknown kind 'CTC'");
  EXPECT_EQ(error.fix(), "use a model whose tokenizer has the parts that lq knows");
}

TEST(Tokenizer, GivesTheSameIdsInEveryThread) {
  const text::Tokenizer tokenizer = text::open_tokenizer(kData / "tiny-llama");
  const std::string text = read_file(kData / "tiny-llama-golden" / "eval.txt");
  const Ids expected = tokenizer.encode(text, true).ids;
  std::vector<Ids> found(4);
  {
    std::vector<std::jthread> threads;
    for (Ids& ids : found) {
      threads.emplace_back([&] { ids = tokenizer.encode(text, true).ids; });
    }
  }
  for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  const text::Tokenizer tokenizer(piece_showing_tokenizer(nullptr, nullptr), "m/tokenizer.json");
  const auto error = error_of<base::ValidationError>([&] { tokenizer.encode("abc\xFFz", true); });
  EXPECT_STREQ(error.what(), "cannot cut the text into tokens");
  EXPECT_EQ(error.why(), "it is not valid UTF-8 at byte 3");
  for (const char* bad : {"\xC3", "\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80"}) {
    error_of<base::ValidationError>([&] { tokenizer.encode(bad, true); });
  }
}

TEST(Tokenizer, NamesTheFileOfAPartThatItDoesNotKnow) {
  json tokenizer = piece_showing_tokenizer({{"type", "Rot13"}}, nullptr);
  const auto error = error_of<base::UnsupportedError>([&] { ids_of(tokenizer, "a"); });
  EXPECT_STREQ(error.what(), "cannot use the tokenizer m/tokenizer.json");
  EXPECT_EQ(error.why(), "its normalizer is of the unknown kind 'Rot13'");
}

TEST(Tokenizer, SaysWhatIsBroken) {
  const auto why = [](const char* key, const json& value) {
    json tokenizer = piece_showing_tokenizer(nullptr, nullptr);
    tokenizer[key] = value;
    return error_of<base::ValidationError>([&] { ids_of(tokenizer, "a"); }).why();
  };
  EXPECT_EQ(why("added_tokens", 5), "added_tokens is not a list");
  EXPECT_EQ(why("decoder", {{"type", "Sequence"}}), "`decoders` of its decoder is not a list");
  EXPECT_EQ(why("added_tokens", {5}), "`content` of its added token is not a string");
  EXPECT_EQ(
      why("post_processor", {{"type", "BertProcessing"}, {"cls", {"x", 7}}, {"sep", {"y", 99999}}}),
      "its post-processor adds a token that is not in the vocabulary");
}

TEST(Tokenizer, NeedsTokenizerFiles) {
  const ScratchDirectory scratch;
  const auto error =
      error_of<base::ModelNotFoundError>([&] { text::open_tokenizer(scratch.path()); });
  EXPECT_EQ(error.why(), "neither tokenizer.json nor tokenizer.model is in this directory");
}

}  // namespace
}  // namespace lq::testing
