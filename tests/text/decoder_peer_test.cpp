// Texts of ids compared with the reference implementation: random ids of every family, and every
// kind of decoder on a vocabulary of pieces that it treats in its own way.

#include <algorithm>
#include <random>

#include "common/text/byte_level.h"
#include "common/text/subword_model.h"
#include "common/text/tokenizer.h"
#include "tests/text/piece_showing_tokenizer.h"
#include "tests/text/reference_tokenizer.h"

namespace lq::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

void compare(const fs::path& dir, const std::vector<Ids>& sequences, std::uint64_t seed) {
  const text::Tokenizer tokenizer = text::open_tokenizer(dir);
  const std::vector<json> expected = reference_lines(dir / "tokenizer.json", sequences);
  ASSERT_EQ(expected.size(), sequences.size());
  int n_shown = 0;
  for (std::size_t i = 0; i < sequences.size() && n_shown < 5; ++i) {
    ASSERT_FALSE(expected[i].contains("error")) << expected[i];
    for (const bool skips : {false, true}) {
      const json text = tokenizer.decode(sequences[i], skips);
      const json& reference = expected[i][skips ? "text_plain" : "text"];
      if (text == reference) continue;
      ++n_shown;
      ADD_FAILURE() << "LQ_FUZZ_SEED=" << seed << " ids " << json(sequences[i]) << "\n  text      "
                    << text << "\n  reference " << reference;
    }
  }
}

/// `often`: ids to strew in more than the rest of those below `n_ids`.
void compare_on_random_ids(const fs::path& dir, std::size_t n, std::size_t n_ids,
                           const Ids& often) {
  for (const std::uint64_t seed : {std::uint64_t{1}, fresh_seed()}) {
    std::mt19937_64 random(seed);
    const auto below = [&random](std::size_t limit) { return random() % limit; };
    std::vector<Ids> sequences(n);
    for (Ids& ids : sequences) {
      ids.resize(below(24));
      for (std::uint32_t& id : ids) {
        // Where a vocabulary has its bytes: at its beginning.
        const std::size_t limit = below(2) == 0 ? n_ids : std::min<std::size_t>(n_ids, 600);
        id = !often.empty() && below(8) == 0 ? often[below(often.size())]
                                             : static_cast<std::uint32_t>(below(limit));
      }
    }
    compare(dir, sequences, seed);
  }
}

class GoldenDecoding : public ::testing::TestWithParam<const char*> {};
class Decoding : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenDecoding, BringsTheTextsBackAsTheReferenceDoes) {
  LQ_NEED_PEER("LQ_NPM");
  const json cases = json::parse(
      read_file(fs::path(LQ_TEST_DATA) / "tokenizers" / (std::string(GetParam()) + ".json")));
  std::vector<Ids> sequences;
  for (const json& one : cases) sequences.push_back(one["ids_plain"]);
  compare(family_dir(GetParam()), sequences, 0);
  const text::Tokenizer tokenizer = text::open_tokenizer(family_dir(GetParam()));
  std::size_t n_same = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    n_same += json(tokenizer.decode(sequences[i])) == cases[i]["text"];
  }
  // qwen2_5 composes an accent; llama2 puts a space before what stands behind a special token.
  EXPECT_GE(n_same, 49U);
}

TEST_P(Decoding, OfRandomIdsIsTheTextOfTheReference) {
  LQ_NEED_PEER("LQ_NPM");
  const fs::path dir = family_dir(GetParam());
  const json tokenizer = json::parse(read_file(dir / "tokenizer.json"));
  Ids added;
  for (const json& token : tokenizer["added_tokens"]) added.push_back(token["id"]);
  compare_on_random_ids(dir, 1000, text::open_tokenizer(dir).vocab_size() + 3, added);
}

INSTANTIATE_TEST_SUITE_P(Npm, GoldenDecoding, ::testing::ValuesIn(kGoldenFamilies));
INSTANTIATE_TEST_SUITE_P(Npm, Decoding, ::testing::ValuesIn(kFamilies));

struct DecoderCase {
  std::string name;
  json decoder;
  bool has_empty_piece = true;
};

void PrintTo(const DecoderCase& decoder, std::ostream* out) { *out << decoder.name; }

json metaspace(const std::string& scheme) {
  return {{"type", "Metaspace"},
          {"replacement", "\u2581"},
          {"prepend_scheme", scheme},
          {"split", true}};
}

json strip(const std::string& content, int start, int stop) {
  return {{"type", "Strip"}, {"content", content}, {"start", start}, {"stop", stop}};
}

json sequence(const std::vector<json>& steps) {
  return {{"type", "Sequence"}, {"decoders", steps}};
}

std::vector<DecoderCase> decoder_cases() {
  const json replace = {{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}};
  const json expression = {
      {"type", "Replace"}, {"pattern", {{"Regex", "a+|\\s"}}}, {"content", "$0<>"}};
  const json fallback = {{"type", "ByteFallback"}};
  const json fuse = {{"type", "Fuse"}};
  const json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", true},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  return {{"None", nullptr},
          {"ByteLevel", byte_level},
          {"ByteFallback", fallback},
          {"Fuse", fuse},
          {"Replace", replace},
          {"ReplaceRegex", expression},
          {"MetaspaceAlways", metaspace("always")},
          {"MetaspaceFirst", metaspace("first")},
          {"MetaspaceNever", metaspace("never")},
          {"StripStart", strip("a", 2, 0)},
          // The reference fails where more is taken from the end than is left.
          {"StripStop", strip("\u00E9", 0, 1), false},
          {"Empty", sequence({})},
          {"Llama", sequence({replace, fallback, fuse, strip(" ", 1, 0)})},
          {"Gemma", sequence({replace, fallback, fuse})},
          {"BytesOfMetaspace", sequence({metaspace("always"), fallback})},
          {"MetaspaceOfAll", sequence({fallback, fuse, metaspace("never")})},
          {"BytesTwice", sequence({byte_level, sequence({byte_level, expression})})}};
}

/// Named bytes, the characters of bytes, and pieces with marks, blanks and letters.
json piece_vocabulary(bool with_empty) {
  json vocab = json::object();
  const auto add = [&vocab](const std::string& text) {
    if (!vocab.contains(text)) vocab[text] = vocab.size();
  };
  for (const char* text : {"\u2581",
                           "\u2581a",
                           "a\u2581\u2581",
                           "\u2581\u2581aa\u2581",
                           " ",
                           "  ",
                           " a",
                           "aaa",
                           "\u00E9\u00E9\u00E9",
                           "\u00E9a\u00E9",
                           "\u0120 b",
                           "\u4E16",
                           "\U0001F600",
                           "\n",
                           "<0xe5>",
                           "<0x8F",
                           "<0xGG>",
                           "<0x8F>>",
                           "\u00E4\u00B8\u0138",
                           "\u00AD",
                           "\u0143"}) {
    add(text);
  }
  if (with_empty) add("");
  for (int byte = 0; byte < 256; ++byte) {
    add(text::byte_token(static_cast<unsigned char>(byte)));
    std::string character;
    text::append_byte_characters(std::string(1, static_cast<char>(byte)), character);
    add(character);
  }
  return vocab;
}

class DecoderKind : public ::testing::TestWithParam<DecoderCase> {};

TEST_P(DecoderKind, MakesTheTextOfTheReference) {
  LQ_NEED_PEER("LQ_NPM");
  const json vocab = piece_vocabulary(GetParam().has_empty_piece);
  json tokenizer = piece_showing_tokenizer(nullptr, nullptr);
  tokenizer["decoder"] = GetParam().decoder;
  tokenizer["model"]["vocab"] = vocab;
  tokenizer["model"]["continuing_subword_prefix"] = nullptr;
  json& added = tokenizer["added_tokens"];
  Ids often;
  for (std::uint32_t id = 0; id < 22; ++id) often.push_back(id);
  for (std::size_t i = 0; i < added.size(); ++i) {
    added[i]["id"] = vocab.size() + i;
    often.push_back(static_cast<std::uint32_t>(vocab.size() + i));
  }
  const ScratchDirectory scratch;
  scratch.write("tokenizer.json", tokenizer.dump());
  compare_on_random_ids(scratch.path(), 2000, vocab.size() + added.size() + 2, often);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DecoderKind, ::testing::ValuesIn(decoder_cases()),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace lq::testing
