#include "common/subject/gguf_tokenizer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/model/gguf_model.h"
#include "tests/subject/gguf_files.h"
#include "tests/support/scratch.h"

namespace lq::testing {
namespace {

using base::UnsupportedError;
using base::ValidationError;
using gguf::Metadata;
using gguf::Value;
using nlohmann::json;
using Ids = std::vector<std::uint32_t>;
using Texts = std::vector<std::string>;

const std::filesystem::path kData = LQ_TEST_DATA;

/// Byte-level: "ab", a space, and tokens around a text.
Metadata bytes() {
  Metadata metadata;
  metadata.set("tokenizer.ggml.model", std::string("gpt2"));
  metadata.set("tokenizer.ggml.pre", std::string("gpt-2"));
  metadata.set("tokenizer.ggml.tokens", Texts{"a", "b", "ab", "\u0120", "<s>", "</s>", "<tool>"});
  metadata.set("tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 1, 1, 1, 3, 3, 4});
  metadata.set("tokenizer.ggml.merges", Texts{"a b"});
  metadata.set("tokenizer.ggml.bos_token_id", std::uint32_t{4});
  metadata.set("tokenizer.ggml.eos_token_id", std::uint32_t{5});
  return metadata;
}

/// SentencePiece: "▁ab" is put together in the order of the scores.
Metadata pieces() {
  Metadata metadata;
  metadata.set("tokenizer.ggml.model", std::string("llama"));
  metadata.set("tokenizer.ggml.tokens", Texts{"<unk>", "<s>", "</s>", "<0x0A>", "\u2581", "a", "b",
                                              "ab", "\u2581a", "\u2581ab"});
  metadata.set("tokenizer.ggml.scores", std::vector<float>{0, 0, 0, 0, -5, -6, -7, -1, -2, -3});
  metadata.set("tokenizer.ggml.token_type",
               std::vector<std::int32_t>{2, 3, 3, 6, 1, 1, 1, 1, 1, 1});
  return metadata;
}

Ids ids(const Metadata& metadata, std::string_view text, bool add_special = false) {
  return subject::gguf_tokenizer(metadata, "model.gguf").encode(text, add_special).ids;
}

template <class E>
std::string why(const Metadata& metadata) {
  return error_of<E>([&] { subject::gguf_tokenizer(metadata, "model.gguf"); }).why();
}
std::string why_with(Metadata metadata, const std::string& name, Value value) {
  metadata.set("tokenizer.ggml." + name, std::move(value));
  return why<ValidationError>(metadata);
}

TEST(GgufTokenizer, CutsTheTextsOfTheBundledModelAsItsSourceDoes) {
  const model::Checkpoint checkpoint = model::open_checkpoint(kData / "tiny-llama");
  const Metadata metadata = model::gguf_metadata(checkpoint, std::nullopt);
  const text::Tokenizer tokenizer = subject::gguf_tokenizer(metadata, "model.gguf");
  const text::Tokenizer source = text::open_tokenizer(kData / "tiny-llama");
  EXPECT_EQ(tokenizer.vocab_size(), source.vocab_size());
  EXPECT_EQ(tokenizer.bos_id(), source.bos_id());
  for (const json& golden : json::parse(read_file(kData / "tiny-llama-golden" / "tokens.json"))) {
    const std::string text = golden["text"];
    EXPECT_EQ(tokenizer.encode(text, true).ids, golden["ids"].get<Ids>()) << text;
    EXPECT_EQ(tokenizer.encode(text, false).ids, golden["ids_no_special"].get<Ids>()) << text;
  }
  const std::string text = read_file(kData / "tiny-llama-golden" / "eval.txt");
  EXPECT_EQ(tokenizer.encode(text, true).ids, source.encode(text, true).ids);
  for (std::uint32_t id = 0; id < source.vocab_size(); ++id) {
    ASSERT_EQ(tokenizer.piece(id), source.piece(id));
  }
}

TEST(GgufTokenizer, MergesBytes) {
  EXPECT_EQ(ids(bytes(), "ab ba"), (Ids{2, 3, 1, 0}));
  EXPECT_EQ(ids(bytes(), "a<tool>b</s>"), (Ids{0, 6, 1, 5}));
}

TEST(GgufTokenizer, JoinsPiecesByTheirScores) {
  EXPECT_EQ(ids(pieces(), "ab"), (Ids{9}));
  Metadata metadata = pieces();
  // Now "▁a" comes before "ab", and "▁ab" is still made of it.
  metadata.set("tokenizer.ggml.scores", std::vector<float>{0, 0, 0, 0, -5, -6, -7, -3, -2, -1});
  EXPECT_EQ(ids(metadata, "ab ab"), (Ids{9, 9}));
  EXPECT_EQ(ids(metadata, "ba\n"), (Ids{4, 6, 5, 3}));
  metadata.set("tokenizer.ggml.add_space_prefix", false);
  EXPECT_EQ(ids(metadata, "ab ab"), (Ids{7, 9}));
}

TEST(GgufTokenizer, PutsTheStatedTokensAroundATextOfBytes) {
  Metadata metadata = bytes();
  EXPECT_EQ(ids(metadata, "a", true), (Ids{0}));
  metadata.set("tokenizer.ggml.add_eos_token", true);
  EXPECT_EQ(ids(metadata, "a", true), (Ids{0, 5}));
  metadata.set("tokenizer.ggml.add_bos_token", true);
  EXPECT_EQ(ids(metadata, "a", true), (Ids{4, 0, 5}));
  EXPECT_EQ(ids(metadata, "a", false), (Ids{0}));
}

TEST(GgufTokenizer, BeginsWithBosWhereThePreTokenizerIsThatOfAFamilyThatDoes) {
  Metadata metadata = bytes();
  metadata.set("tokenizer.ggml.pre", std::string("llama-bpe"));
  EXPECT_EQ(ids(metadata, "a", true), (Ids{4, 0}));
  metadata.set("tokenizer.ggml.add_bos_token", false);
  EXPECT_EQ(ids(metadata, "a", true), (Ids{0}));
}

TEST(GgufTokenizer, BeginsPiecesWithTheUsualBos) {
  Metadata metadata = pieces();
  EXPECT_EQ(ids(metadata, "ab", true), (Ids{1, 9}));
  metadata.set("tokenizer.ggml.bos_token_id", std::uint32_t{2});
  EXPECT_EQ(ids(metadata, "ab", true), (Ids{2, 9}));
  metadata.set("tokenizer.ggml.add_bos_token", false);
  metadata.set("tokenizer.ggml.add_eos_token", true);
  EXPECT_EQ(ids(metadata, "ab", true), (Ids{9, 2}));
}

TEST(GgufTokenizer, TakesAllTokensAsNormalWithoutTypes) {
  EXPECT_EQ(subject::gguf_vocabulary(without(bytes(), "tokenizer.ggml.token_type"), "").types,
            std::vector<text::TokenType>(7, text::TokenType::kNormal));
}

TEST(GgufTokenizer, NamesAMissingKey) {
  for (const Metadata& whole : {bytes(), pieces()}) {
    const bool is_bytes = *whole.get<std::string>("tokenizer.ggml.model") == "gpt2";
    for (const std::string name : {"model", "tokens", is_bytes ? "merges" : "scores"}) {
      EXPECT_EQ(why<ValidationError>(without(whole, "tokenizer.ggml." + name)),
                "its metadata lack tokenizer.ggml." + name);
    }
  }
}

TEST(GgufTokenizer, RejectsListsThatDoNotFitTogether) {
  EXPECT_EQ(why_with(bytes(), "token_type", std::vector<std::int32_t>{1, 1}),
            "tokenizer.ggml.token_type has 2 values for 7 tokens");
  EXPECT_EQ(why_with(pieces(), "scores", std::vector<float>{1}),
            "tokenizer.ggml.scores has 1 values for 10 tokens");
  EXPECT_EQ(why_with(bytes(), "token_type", std::vector<std::int32_t>{1, 1, 7, 1, 1, 1, 1}),
            "token 2 is of the unknown type 7");
  EXPECT_EQ(why_with(bytes(), "bos_token_id", std::uint32_t{7}),
            "tokenizer.ggml.bos_token_id is 7, expected a whole number from 0 to 6");
}

TEST(GgufTokenizer, RejectsValuesOfAWrongKind) {
  EXPECT_EQ(why_with(bytes(), "tokens", std::vector<std::int32_t>{1}),
            "tokenizer.ggml.tokens is a list of 1 values, expected a list of texts");
  EXPECT_EQ(why_with(pieces(), "scores", std::vector<double>{1, 2}),
            "tokenizer.ggml.scores is a list of 2 values, expected a list of float32 numbers");
  EXPECT_EQ(why_with(bytes(), "token_type", std::string("normal")),
            "tokenizer.ggml.token_type is 'normal', expected a list of 32-bit whole numbers");
  EXPECT_EQ(why_with(bytes(), "add_bos_token", std::uint32_t{1}),
            "tokenizer.ggml.add_bos_token is 1, expected true or false");
}

TEST(GgufTokenizer, RejectsTokensThatAreNoTextOrTwice) {
  EXPECT_EQ(why_with(bytes(), "tokens", Texts{"a", "\xff", "ab", "d", "<s>", "</s>", "<tool>"}),
            "token 1 is not UTF-8 text");
  EXPECT_EQ(why_with(bytes(), "tokens", Texts{"a", "", "ab", "d", "<s>", "</s>", "<tool>"}),
            "token 1 is not UTF-8 text");
  EXPECT_EQ(why_with(bytes(), "tokens", Texts{"a", "b", "ab", "b", "<s>", "</s>", "<tool>"}),
            "tokens 1 and 3 have the same text 'b'");
}

TEST(GgufTokenizer, RejectsMergesOfWhatIsNoToken) {
  EXPECT_EQ(why_with(bytes(), "merges", Texts{"ab"}), "merge number 0 is not a pair of tokens");
  EXPECT_NE(why_with(bytes(), "merges", Texts{"a q"}), "");
}

TEST(GgufTokenizer, RefusesKindsAndPreTokenizersThatAreNotKnown) {
  Metadata metadata = bytes();
  metadata.set("tokenizer.ggml.pre", std::string("other\t"));
  EXPECT_EQ(why<UnsupportedError>(metadata),
            "its pre-tokenizer 'other\\x09' is none of those known here");
  metadata.set("tokenizer.ggml.pre", std::string());
  EXPECT_EQ(why<UnsupportedError>(metadata), "it does not name its pre-tokenizer");
  metadata.set("tokenizer.ggml.model", std::string("bert"));
  EXPECT_EQ(why<UnsupportedError>(metadata), "it is of the kind 'bert'; known are gpt2 and llama");
}

}  // namespace
}  // namespace lq::testing
