#include "common/behaviour/protocol.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/scratch.h"

namespace lq::behaviour {
namespace {

using lq::testing::error_of;
using lq::testing::read_file;
using Ids = std::vector<std::int32_t>;

const std::filesystem::path kModel = std::filesystem::path(LQ_TEST_DATA) / "tiny-llama";
constexpr std::size_t kVocabulary = 2048;

/// The bundled tokenizer, which puts a bos before a text, and the same without one.
class ProtocolTest : public ::testing::Test {
 protected:
  static text::Tokenizer without_bos() {
    nlohmann::json tokenizer = nlohmann::json::parse(read_file(kModel / "tokenizer.json"));
    tokenizer["post_processor"] = nullptr;
    return {tokenizer, "tokenizer.json"};
  }

  Ids ids_of_text() const {
    const auto ids = tokenizer_.encode(text_, false).ids;
    return {ids.begin(), ids.end()};
  }
  Ids bos() const { return {static_cast<std::int32_t>(tokenizer_.bos_id().value())}; }

  static EvaluationWindows cut(const text::Tokenizer& tokenizer, const std::string& text,
                               std::string_view protocol, CutOptions options) {
    options.n_vocab = kVocabulary;
    return cut_text(tokenizer, text, find_protocol(protocol), options);
  }
  EvaluationWindows cut(std::string_view protocol, const CutOptions& options) const {
    return cut(tokenizer_, text_, protocol, options);
  }

  const text::Tokenizer tokenizer_ = text::open_tokenizer(kModel);
  const std::string text_ = "The ferry leaves at noon, and the last one comes back after dark.";
};

Ids window(const EvaluationWindows& windows, std::size_t i) {
  const auto ids = windows.windows.window(i);
  return {ids.begin(), ids.end()};
}

Ids joined(Ids a, const Ids& b, std::size_t begin, std::size_t end) {
  a.insert(a.end(), b.begin() + static_cast<std::ptrdiff_t>(begin),
           b.begin() + static_cast<std::ptrdiff_t>(end));
  return a;
}

/// The tokens that count, in order.
Ids scored(const EvaluationWindows& windows) {
  Ids ids;
  for (const Position& position : positions_of(windows)) ids.push_back(position.next);
  return ids;
}

TEST_F(ProtocolTest, OfThisProjectCountsEveryTokenOnceBehindTheBos) {
  const EvaluationWindows windows = cut("lq", {.window = 7});
  const Ids ids = ids_of_text();
  ASSERT_GT(ids.size(), 12U);
  ASSERT_NE(ids.size() % 6, 0U);  // so that the last piece is shorter
  ASSERT_EQ(windows.windows.n_windows(), (ids.size() + 5) / 6);
  EXPECT_EQ(window(windows, 0), joined(bos(), ids, 0, 6));
  EXPECT_EQ(window(windows, 1), joined(bos(), ids, 6, 12));
  EXPECT_EQ(scored(windows), ids);
  EXPECT_EQ(windows.n_scored(), ids.size());
  EXPECT_EQ(windows.protocol, "lq");
}

TEST_F(ProtocolTest, OfThisProjectHasTheTokenBeforeWhereThereIsNoBos) {
  const EvaluationWindows windows = cut(without_bos(), text_, "lq", {.window = 7});
  const Ids ids = ids_of_text();
  EXPECT_EQ(window(windows, 0), joined({}, ids, 0, 7));
  EXPECT_EQ(window(windows, 1), joined({}, ids, 6, 13));
  EXPECT_EQ(scored(windows), joined({}, ids, 1, ids.size()));
}

TEST_F(ProtocolTest, OfThePapersCutsTheEncodedTextAndLeavesTheEndOut) {
  const EvaluationWindows windows = cut("paper", {.window = 5});
  const Ids ids = joined(bos(), ids_of_text(), 0, ids_of_text().size());
  ASSERT_NE(ids.size() % 5, 0U);
  ASSERT_EQ(windows.windows.n_windows(), ids.size() / 5);
  EXPECT_EQ(window(windows, 0), joined({}, ids, 0, 5));
  EXPECT_EQ(window(windows, 1), joined({}, ids, 5, 10));
  EXPECT_EQ(windows.first_scored, std::vector<std::size_t>(ids.size() / 5, 1));
}

TEST_F(ProtocolTest, OfLlamaCppPutsTheBosOverTheFirstAndCountsTheSecondHalf) {
  const EvaluationWindows windows = cut("llama.cpp", {.window = 6});
  const Ids ids = joined(bos(), ids_of_text(), 0, ids_of_text().size());
  ASSERT_EQ(windows.windows.n_windows(), ids.size() / 6);
  EXPECT_EQ(window(windows, 0), joined({}, ids, 0, 6));
  EXPECT_EQ(window(windows, 1), joined(bos(), ids, 7, 12));
  EXPECT_EQ(windows.first_scored, std::vector<std::size_t>(ids.size() / 6, 4));
}

TEST_F(ProtocolTest, OfLlamaCppLeavesTheFirstTokenWhereThereIsNoBos) {
  const EvaluationWindows windows = cut(without_bos(), text_, "llama.cpp", {.window = 6});
  EXPECT_EQ(window(windows, 1), joined({}, ids_of_text(), 6, 12));
}

TEST_F(ProtocolTest, StrideReadsTokensAgainButCountsThemOnce) {
  const Ids ids = ids_of_text();
  const EvaluationWindows ours = cut("lq", {.window = 7, .stride = 2});
  EXPECT_EQ(window(ours, 1), joined(bos(), ids, 2, 8));
  EXPECT_EQ(ours.first_scored[1], 5U);
  EXPECT_EQ(scored(ours), ids);
  const EvaluationWindows paper = cut(without_bos(), text_, "paper", {.window = 6, .stride = 3});
  EXPECT_EQ(window(paper, 1), joined({}, ids, 3, 9));
  EXPECT_EQ(scored(paper), joined({}, ids, 1, paper.n_scored() + 1));
  EXPECT_GT(paper.n_scored() + 1, ids.size() - 3);
}

TEST_F(ProtocolTest, TakesTheFirstWindowsWhereSoManyAreAsked) {
  const EvaluationWindows windows = cut("lq", {.window = 7, .max_windows = 2});
  EXPECT_EQ(windows.windows.n_windows(), 2U);
  EXPECT_EQ(scored(windows), joined({}, ids_of_text(), 0, 12));
}

TEST_F(ProtocolTest, PositionsAreThoseBeforeTheTokensThatCount) {
  EvaluationWindows windows = given_windows({{5, 6, 7, 8, 9}, {0, 3, 5}});
  const auto rows_of = [&] {
    std::vector<std::size_t> rows;
    for (const Position& position : positions_of(windows)) rows.push_back(position.row);
    return rows;
  };
  EXPECT_EQ(rows_of(), (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(scored(windows), (Ids{6, 7, -1, 9, -1}));
  EXPECT_EQ(windows.n_scored(), 3U);
  EXPECT_EQ(positions_of(windows)[3].window, 1U);
  windows.with_last = false;
  windows.first_scored = {2, 1};
  EXPECT_EQ(rows_of(), (std::vector<std::size_t>{1, 3}));
}

TEST_F(ProtocolTest, ContentIdTellsIdsWindowsAndWhatCountsApart) {
  const EvaluationWindows windows = given_windows({{5, 6, 7, 8, 9}, {0, 3, 5}});
  std::set<std::string> ids = {windows.content_id()};
  EvaluationWindows other = windows;
  other.windows.ids[2] = 1;
  ids.insert(other.content_id());
  other = windows;
  other.windows.offsets[1] = 2;
  ids.insert(other.content_id());
  other = windows;
  other.first_scored[0] = 2;
  ids.insert(other.content_id());
  other = windows;
  other.with_last = false;
  ids.insert(other.content_id());
  EXPECT_EQ(ids.size(), 5U);
}

TEST_F(ProtocolTest, RefusesWhatCannotBe) {
  const auto unknown = error_of<base::UsageError>([] { find_protocol("wiki"); });
  EXPECT_STREQ(unknown.what(), "unknown protocol `wiki`");
  EXPECT_EQ(unknown.why(), "it is none of lq, paper and llama.cpp");
  EXPECT_EQ(unknown.fix(), "name one of them: --protocol lq");
  const auto why_not = [&](std::string_view protocol, const CutOptions& options) {
    return error_of<base::UsageError>([&] { cut(protocol, options); }).why();
  };
  EXPECT_EQ(why_not("lq", {.window = 3}), "a window of 3 tokens is too short to predict from");
  EXPECT_EQ(why_not("llama.cpp", {.window = 6, .stride = 3}),
            "windows of the protocol llama.cpp do not overlap");
  EXPECT_EQ(why_not("lq", {.window = 6, .stride = 6}),
            "windows of 6 tokens every 6 tokens leave some out");
  const auto short_text = error_of<base::ValidationError>([&] { cut("paper", {}); });
  EXPECT_EQ(short_text.why(), "it has " + std::to_string(ids_of_text().size() + 1) +
                                  " tokens, and a window of the protocol paper takes 2048");
  EXPECT_EQ(short_text.fix(), "give a longer text, or shorter windows: --window");
  const auto above = error_of<base::ValidationError>(
      [&] { cut_text(tokenizer_, text_, find_protocol("lq"), {.n_vocab = 10}); });
  EXPECT_NE(above.why().find("but the model's embedding has 10 rows"), std::string::npos);
  const auto empty = error_of<base::ValidationError>([] { given_windows({{1, 2}, {0, 1, 2}}); });
  EXPECT_EQ(empty.why(), "none has two tokens, so that there is nothing to predict");
}

TEST(Protocols, AllHaveWhatPeopleReadOfThem) {
  std::set<std::string_view> names;
  for (const Protocol& protocol : protocols()) {
    EXPECT_FALSE(protocol.meaning.empty()) << protocol.name;
    EXPECT_GE(protocol.window, kLeastWindow) << protocol.name;
    EXPECT_EQ(&find_protocol(protocol.name), &protocol);
    names.insert(protocol.name);
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"lq", "paper", "llama.cpp"}));
}

}  // namespace
}  // namespace lq::behaviour
