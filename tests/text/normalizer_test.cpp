#include "common/text/normalizer.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

std::string normalized(const std::string& normalizer, std::string text) {
  text::make_normalizer(PartOf(normalizer, "normalizer").part)(text);
  return text;
}

template <class E>
std::string why(const std::string& normalizer) {
  return error_of<E>([&] { normalized(normalizer, "a"); }).why();
}

TEST(Normalizer, OfNullChangesNothing) { EXPECT_EQ(normalized("null", " A\u0301 "), " A\u0301 "); }

TEST(Normalizer, WritesTheFourUnicodeForms) {
  const std::string text = "xe\u0301\uFB01\u1E9B\u0323";
  EXPECT_EQ(normalized(R"({"type": "NFC"})", text), "x\u00E9\uFB01\u1E9B\u0323");
  EXPECT_EQ(normalized(R"({"type": "NFD"})", text), "xe\u0301\uFB01\u017F\u0323\u0307");
  EXPECT_EQ(normalized(R"({"type": "NFKC"})", text), "x\u00E9fi\u1E69");
  EXPECT_EQ(normalized(R"({"type": "NFKD"})", text), "xe\u0301fis\u0323\u0307");
}

TEST(Normalizer, ComposesMarksBehindAnAsciiLetterAndHangul) {
  EXPECT_EQ(normalized(R"({"type": "NFC"})", "abe\u0301cd\u1100\u1161\u11A8"), "ab\u00E9cd\uAC01");
}

TEST(Normalizer, LeavesAloneWhatTheReferenceDoesNotKnow) {
  EXPECT_EQ(normalized(R"({"type": "NFKC"})", "\u32FF"), "\u32FF");
  EXPECT_EQ(normalized(R"({"type": "NFC"})", "\U00011935\U00011930"), "\U00011935\U00011930");
  EXPECT_EQ(normalized(R"({"type": "NFD"})", "a\u0301\u0898"), "a\u0301\u0898");
}

TEST(Normalizer, OrdersLongRowsOfMarks) {
  std::string text = "a", ordered = "a";
  for (int i = 0; i < 20000; ++i) text += "\u0301\u0316";
  for (int i = 0; i < 20000; ++i) ordered += "\u0316";
  for (int i = 0; i < 20000; ++i) ordered += "\u0301";
  EXPECT_EQ(normalized(R"({"type": "NFD"})", text), ordered);
}

TEST(Normalizer, ChangesCharacters) {
  EXPECT_EQ(normalized(R"({"type": "Lowercase"})", "A\u0130\u03A3\u1C89"), "ai\u0307\u03C3\u1C8A");
  EXPECT_EQ(normalized(R"({"type": "StripAccents"})", "e\u0301\u0302x"), "ex");
  EXPECT_EQ(normalized(R"({"type": "Nmt"})", "a\u0001\tb\u200Bc"), "a b c");
  EXPECT_EQ(normalized(R"({"type": "ByteLevel"})", " \u00E9"), "\u0120\u00C3\u00A9");
  EXPECT_EQ(normalized(R"({"type": "Prepend", "prepend": "_"})", "a"), "_a");
  EXPECT_EQ(normalized(R"({"type": "Prepend", "prepend": "_"})", ""), "");
}

TEST(Normalizer, StripsTheSidesThatAreAskedFor) {
  const std::string text = "\u3000\n a \t";
  EXPECT_EQ(normalized(R"({"type": "Strip", "strip_left": true, "strip_right": true})", text), "a");
  EXPECT_EQ(normalized(R"({"type": "Strip", "strip_left": false, "strip_right": true})", text),
            "\u3000\n a");
  EXPECT_EQ(normalized(R"({"type": "Strip", "strip_left": true, "strip_right": false})", text),
            "a \t");
}

TEST(Normalizer, ReplacesLiteralsAndExpressions) {
  EXPECT_EQ(
      normalized(R"({"type": "Replace", "pattern": {"String": "."}, "content": "$0"})", "a.b."),
      "a$0b$0");
  EXPECT_EQ(normalized(R"({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})",
                       "a   b c  "),
            "a b c ");
}

TEST(Normalizer, AppliesASequenceInOrder) {
  EXPECT_EQ(normalized(R"({"type": "Sequence", "normalizers": [
              {"type": "Prepend", "prepend": "B"}, {"type": "Lowercase"}]})",
                       "A"),
            "ba");
}

TEST(Normalizer, OfBertCleansSetsApartAndDropsAccents) {
  EXPECT_EQ(normalized(R"({"type": "BertNormalizer", "clean_text": true,
                           "handle_chinese_chars": true, "strip_accents": null,
                           "lowercase": true})",
                       "\u00C9\u4E2D\u0000\tX"),
            "e \u4E2D ");  // the literal ends at its NUL
  EXPECT_EQ(normalized(R"({"type": "BertNormalizer", "lowercase": false})", "\u00C9\tx"),
            "\u00C9 x");
}

// A trie of one key: "A" stands for "bc".
TEST(Normalizer, ReplacesByTheTableOfSentencePiece) {
  std::string units(4 * 512, '\0');
  const auto put = [&](std::size_t at, std::uint32_t unit) {
    for (std::size_t i = 0; i < 4; ++i) units[4 * at + i] = static_cast<char>(unit >> (8 * i));
  };
  put(0, 256U << 10U);                          // children at 256 ^ byte
  put(256 ^ 'A', 'A' | 0x100U | (64U << 10U));  // a leaf at (256 ^ 'A') ^ 64
  put((256 ^ 'A') ^ 64, 0x80000000U);           // the text at 0
  std::string bytes("\0\10\0\0", 4);
  bytes += units + std::string("bc\0", 3);
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string base64;
  while (bytes.size() % 3 != 0) bytes += '\0';
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8U | static_cast<unsigned char>(bytes[i + k]);
    for (int k = 3; k >= 0; --k) base64 += kDigits[word >> (6 * k) & 63U];
  }
  const std::string part =
      R"({"type": "Precompiled", "precompiled_charsmap": ")" + base64 + R"("})";
  EXPECT_EQ(normalized(part, "xAy"), "xbcy");
  // A short cluster is replaced as a whole by what stands for its beginning.
  EXPECT_EQ(normalized(part, "A\u0301y"), "bcy");
  EXPECT_EQ(normalized(part, "A\u0301\u0302\u0303y"), "bc\u0301\u0302\u0303y");
}

TEST(Normalizer, SaysWhatIsWrongWithTheTableOfSentencePiece) {
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "Precompiled", "precompiled_charsmap": "?"})"),
            "its table of characters is not in base64");
  EXPECT_EQ(
      why<base::ValidationError>(R"({"type": "Precompiled", "precompiled_charsmap": "AAA="})"),
      "its table of characters is empty");
  EXPECT_EQ(
      why<base::ValidationError>(R"({"type": "Precompiled", "precompiled_charsmap": "/////w=="})"),
      "its table of characters is damaged");
}

TEST(Normalizer, NamesWhatIsUnknownOrBroken) {
  EXPECT_EQ(why<base::UnsupportedError>(R"({"type": "Rot13"})"),
            "its normalizer is of the unknown kind 'Rot13'");
  EXPECT_EQ(why<base::ValidationError>("{}"), "its normalizer has no type");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "Prepend"})"),
            "`prepend` of its normalizer is not a string");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "Strip", "strip_left": 1})"),
            "`strip_left` of its normalizer is not true or false");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "Sequence"})"),
            "`normalizers` of its normalizer is not a list");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "Replace", "content": "", "pattern": {}})"),
            "a pattern in it is neither a String nor a Regex");
  EXPECT_EQ(why<base::ValidationError>(
                R"({"type": "Replace", "content": "", "pattern": {"Regex": "(a"}})"),
            "its expression '(a' cannot be compiled: missing closing parenthesis");
  std::string deep = "null";
  for (int i = 0; i < 20; ++i) deep = R"({"type": "Sequence", "normalizers": [)" + deep + "]}";
  EXPECT_EQ(why<base::ValidationError>(deep),
            "sequences of its normalizer stand more than 16 deep in each other");
}

}  // namespace
}  // namespace lq::testing
