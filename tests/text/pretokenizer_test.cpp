#include "common/text/pretokenizer.h"

#include <gtest/gtest.h>

#include "tests/support/scratch.h"
#include "tests/text/part_of.h"

namespace lq::testing {
namespace {

using Texts = std::vector<std::string>;

Texts pieces(const std::string& pretokenizer, const std::string& text, bool at_start = true) {
  text::PieceList list{.text = text, .pieces = {{0, text.size()}}, .at_text_start = at_start};
  text::make_pretokenizer(PartOf(pretokenizer, "pre-tokenizer").part)(list);
  Texts found;
  for (const text::ByteRange& piece : list.pieces) found.emplace_back(list.view(piece));
  return found;
}

template <class E>
std::string why(const std::string& pretokenizer) {
  return error_of<E>([&] { pieces(pretokenizer, "a"); }).why();
}

std::string split(const std::string& behavior, bool invert = false) {
  return R"({"type": "Split", "pattern": {"String": "-"}, "behavior": ")" + behavior +
         R"(", "invert": )" + (invert ? "true" : "false") + "}";
}

TEST(Pretokenizer, OfNullLeavesTheTextWhole) { EXPECT_EQ(pieces("null", "a b"), (Texts{"a b"})); }

TEST(Pretokenizer, SplitsWithEveryBehavior) {
  EXPECT_EQ(pieces(split("Removed"), "a--b-"), (Texts{"a", "b"}));
  EXPECT_EQ(pieces(split("Isolated"), "a--b-"), (Texts{"a", "-", "-", "b", "-"}));
  EXPECT_EQ(pieces(split("Contiguous"), "a--b-"), (Texts{"a", "--", "b", "-"}));
  EXPECT_EQ(pieces(split("MergedWithPrevious"), "a--b-"), (Texts{"a-", "-", "b-"}));
  EXPECT_EQ(pieces(split("MergedWithNext"), "a--b-"), (Texts{"a", "-", "-b", "-"}));
  EXPECT_EQ(pieces(split("Removed", true), "a--b-"), (Texts{"-", "-", "-"}));
  EXPECT_EQ(why<base::UnsupportedError>(split("Sideways")), "a split has the behavior 'Sideways'");
}

TEST(Pretokenizer, OfByteLevelWritesBytesAsCharacters) {
  EXPECT_EQ(pieces(R"({"type": "ByteLevel", "add_prefix_space": false})", "it's \u00E9  x\n"),
            (Texts{"it", "'s", "\u0120\u00C3\u00A9", "\u0120", "\u0120x", "\u010A"}));
  EXPECT_EQ(pieces(R"({"type": "ByteLevel", "add_prefix_space": true, "use_regex": false})", "a b"),
            (Texts{"\u0120a\u0120b"}));
}

TEST(Pretokenizer, OfMetaspaceMarksWhereWordsBegin) {
  const auto metaspace = [](const std::string& scheme) {
    return R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": ")" + scheme + "\"}";
  };
  EXPECT_EQ(pieces(metaspace("always"), "a b", false), (Texts{"_a", "_b"}));
  EXPECT_EQ(pieces(metaspace("first"), "a b"), (Texts{"_a", "_b"}));
  EXPECT_EQ(pieces(metaspace("first"), "a b", false), (Texts{"a", "_b"}));
  EXPECT_EQ(pieces(metaspace("never"), "a b"), (Texts{"a", "_b"}));
  EXPECT_EQ(pieces(metaspace("always"), " a"), (Texts{"_a"}));
  EXPECT_EQ(
      pieces(R"({"type": "Metaspace", "replacement": "_", "add_prefix_space": false})", "a b"),
      (Texts{"a", "_b"}));
  EXPECT_EQ(pieces(R"({"type": "Metaspace", "replacement": "_", "split": false})", "a b"),
            (Texts{"_a_b"}));
  EXPECT_EQ(why<base::UnsupportedError>(metaspace("last")),
            "its pre-tokenizer Metaspace has the prepend_scheme 'last'");
  EXPECT_EQ(why<base::ValidationError>(R"({"type": "Metaspace", "replacement": "ab"})"),
            "`replacement` of its pre-tokenizer is not one character");
}

TEST(Pretokenizer, CutsAtClassesOfCharacters) {
  EXPECT_EQ(pieces(R"({"type": "Digits", "individual_digits": true})", "a12\u0663"),
            (Texts{"a", "1", "2", "\u0663"}));
  EXPECT_EQ(pieces(R"({"type": "Digits", "individual_digits": false})", "a12b"),
            (Texts{"a", "12", "b"}));
  EXPECT_EQ(pieces(R"({"type": "Punctuation"})", "a,+b\u3002"),
            (Texts{"a", ",", "+", "b", "\u3002"}));
  EXPECT_EQ(pieces(R"({"type": "Whitespace"})", "a_1 +-  b"), (Texts{"a_1", "+-", "b"}));
  EXPECT_EQ(pieces(R"({"type": "WhitespaceSplit"})", " a,\u3000b\n"), (Texts{"a,", "b"}));
  EXPECT_EQ(pieces(R"({"type": "BertPreTokenizer"})", "a, b"), (Texts{"a", ",", "b"}));
  EXPECT_EQ(pieces(R"({"type": "CharDelimiterSplit", "delimiter": "/"})", "a/b//c"),
            (Texts{"a", "b", "c"}));
}

TEST(Pretokenizer, AppliesASequenceInOrder) {
  EXPECT_EQ(pieces(R"({"type": "Sequence", "pretokenizers": [
              {"type": "Digits", "individual_digits": true},
              {"type": "ByteLevel", "add_prefix_space": false}]})",
                   "a 12"),
            (Texts{"a", "\u0120", "1", "2"}));
}

TEST(Pretokenizer, FindsEmptyMatchesOnceInAPlace) {
  EXPECT_EQ(
      pieces(R"({"type": "Split", "pattern": {"Regex": "b*"}, "behavior": "Isolated"})", "abbc"),
      (Texts{"a", "bb", "c"}));
}

TEST(Pretokenizer, CutsLongTextsWithoutRunningOutOfStack) {
  const std::string text(std::size_t{1} << 20, 'a');
  EXPECT_EQ(
      pieces(R"x({"type": "Split", "pattern": {"Regex": "(?:a|b)+"}, "behavior": "Isolated"})x",
             text),
      (Texts{text}));
}

TEST(Pretokenizer, GivesUpOnAnExpressionThatTakesTooLong) {
  const auto error = error_of<base::ValidationError>([] {
    pieces(R"x({"type": "Split", "pattern": {"Regex": "(a|aa)+[01]"}, "behavior": "Isolated"})x",
           std::string(60, 'a'));
  });
  EXPECT_STREQ(error.what(), "cannot cut the text into words as m/tokenizer.json says");
  EXPECT_EQ(error.why(),
            "its expression '(a|aa)+[01]' takes too many steps on this text (PCRE2 error -47)");
}

TEST(Pretokenizer, NamesAnUnknownKind) {
  EXPECT_EQ(why<base::UnsupportedError>(R"({"type": "Telepathy"})"),
            "its pre-tokenizer is of the unknown kind 'Telepathy'");
}

}  // namespace
}  // namespace lq::testing
