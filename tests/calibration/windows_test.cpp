#include "common/calibration/windows.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

#include "common/calibration/texts.h"
#include "tests/support/scratch.h"
#include "tests/text/piece_showing_tokenizer.h"

namespace lq::calibration {
namespace {

using testing::error_of;
using Ids = std::vector<std::int32_t>;
using Strings = std::vector<std::string>;

/// Every byte is a token; without bos.
text::Tokenizer byte_tokenizer() {
  return text::Tokenizer(testing::piece_showing_tokenizer(nullptr, nullptr), "m/tokenizer.json");
}

/// The same with the token <a>, whose id is 512, before every text and <b> behind it.
text::Tokenizer byte_tokenizer_with_bos() {
  nlohmann::json tokenizer = testing::piece_showing_tokenizer(nullptr, nullptr);
  tokenizer["post_processor"] = {
      {"type", "BertProcessing"}, {"cls", {"<a>", 512}}, {"sep", {"<b>", 513}}};
  return text::Tokenizer(tokenizer, "m/tokenizer.json");
}

WindowOptions options_of(std::size_t seq_len, std::size_t min_windows, std::size_t max_windows) {
  WindowOptions options;
  options.seq_len = seq_len;
  options.min_windows = min_windows;
  options.max_windows = max_windows;
  options.n_vocab = 518;
  return options;
}

std::vector<Ids> windows_of(const CutTexts& cut) {
  std::vector<Ids> windows;
  for (std::size_t w = 0; w < cut.windows.n_windows(); ++w) {
    const auto window = cut.windows.window(w);
    windows.emplace_back(window.begin(), window.end());
  }
  return windows;
}

// The id of a byte within a piece; at its beginning a byte is its own id.
constexpr std::int32_t in(char byte) { return 256 + byte; }

TEST(Windows, JoinShortTextsWithNothingBetweenAndLeaveTheIncompleteEndOut) {
  const CutTexts cut =
      cut_windows(byte_tokenizer(), Strings{"abc", "", "d", "ef<a>g"}, options_of(3, 1, 9));
  EXPECT_EQ(windows_of(cut), (std::vector<Ids>{{'a', in('b'), in('c')}, {'d', 'e', in('f')}}));
  EXPECT_EQ(cut.windows.offsets, (std::vector<std::int64_t>{0, 3, 6}));
  EXPECT_EQ(cut.n_text_tokens, 8U);
  EXPECT_EQ(cut.n_full_windows, 2U);
  EXPECT_EQ(cut.bos_id, std::nullopt);
  EXPECT_TRUE(cut.warnings.empty());
}

TEST(Windows, EachBeginWithTheBosOfTheTokenizerWhichCounts) {
  const CutTexts cut =
      cut_windows(byte_tokenizer_with_bos(), Strings{"abc", "de", "f"}, options_of(3, 1, 9));
  EXPECT_EQ(windows_of(cut),
            (std::vector<Ids>{{512, 'a', in('b')}, {512, in('c'), 'd'}, {512, in('e'), 'f'}}));
  EXPECT_EQ(cut.n_text_tokens, 6U);
  EXPECT_EQ(cut.bos_id, 512);
}

TEST(Windows, OfTheBundledModelAreItsIdsInOrder) {
  const text::Tokenizer tokenizer = text::open_tokenizer(LQ_TEST_DATA "/tiny-llama");
  const Texts texts = built_in_texts();
  Ids all;
  for (const std::string& one : texts.texts) {
    const auto ids = tokenizer.encode(one, false).ids;
    all.insert(all.end(), ids.begin(), ids.end());
  }
  WindowOptions options = options_of(128, 64, 1'000'000);
  options.n_vocab = 2048;
  const CutTexts cut = cut_windows(tokenizer, texts.texts, options);
  ASSERT_EQ(cut.n_text_tokens, all.size());
  ASSERT_EQ(cut.windows.n_windows(), all.size() / 127);
  for (std::size_t w = 0; w < cut.windows.n_windows(); ++w) {
    const auto window = cut.windows.window(w);
    EXPECT_EQ(window[0], *tokenizer.bos_id());
    EXPECT_TRUE(std::ranges::equal(window.subspan(1), std::span(all).subspan(w * 127, 127))) << w;
  }
}

TEST(Windows, AreDrawnByTheSeedWhereThereAreTooMany) {
  const text::Tokenizer tokenizer = byte_tokenizer();
  const Strings texts = {std::string("abcdefghijklmnopqrst"), std::string("ABCDEFGHIJKLMNOPQRST")};
  const std::vector<Ids> all = windows_of(cut_windows(tokenizer, texts, options_of(2, 1, 20)));
  ASSERT_EQ(all.size(), 20U);
  WindowOptions options = options_of(2, 5, 5);
  for (const std::uint64_t seed : {0, 1}) {
    options.seed = seed;
    const CutTexts cut = cut_windows(tokenizer, texts, options);
    std::vector<Ids> expected;
    for (const std::size_t i : draw_ascending(20, 5, seed)) expected.push_back(all[i]);
    EXPECT_EQ(windows_of(cut), expected);
    EXPECT_EQ(cut.n_full_windows, 20U);
  }
}

TEST(Windows, ADrawIsTheSameEverywhereAscendingAndFair) {
  EXPECT_EQ(draw_ascending(20, 5, 0), (std::vector<std::size_t>{2, 3, 5, 6, 18}));
  EXPECT_EQ(draw_ascending(20, 5, 1), (std::vector<std::size_t>{8, 9, 12, 18, 19}));
  EXPECT_EQ(draw_ascending(3, 3, 7), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_TRUE(draw_ascending(3, 0, 7).empty());
  std::vector<int> n_times(10);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const std::vector<std::size_t> drawn = draw_ascending(10, 4, seed);
    EXPECT_TRUE(std::ranges::is_sorted(drawn, std::less_equal<>()) && drawn.size() == 4);
    for (const std::size_t i : drawn) ++n_times.at(i);
  }
  // 1600 each, with a standard deviation of 31.
  EXPECT_GT(std::ranges::min(n_times), 1470);
  EXPECT_LT(std::ranges::max(n_times), 1730);
}

TEST(Windows, OfFewTextsAreAShorterOneAndAWarning) {
  const CutTexts cut =
      cut_windows(byte_tokenizer_with_bos(), Strings{"ab", "c"}, options_of(512, 64, 128));
  EXPECT_EQ(windows_of(cut), (std::vector<Ids>{{512, 'a', in('b'), 'c'}}));
  EXPECT_EQ(cut.n_full_windows, 0U);
  ASSERT_EQ(cut.warnings.size(), 1U);
  EXPECT_EQ(cut.warnings[0].what, "the calibration texts do not fill one window");
  EXPECT_EQ(cut.warnings[0].why,
            "they have 3 tokens, and a window takes 511; wanted are 64 of 512");
}

TEST(Windows, FewerThanWantedGiveAWarning) {
  const CutTexts cut =
      cut_windows(byte_tokenizer(), Strings{std::string(13, 'x')}, options_of(4, 4, 4));
  EXPECT_EQ(cut.windows.n_windows(), 3U);
  ASSERT_EQ(cut.warnings.size(), 1U);
  EXPECT_EQ(cut.warnings[0].what, "the calibration texts have fewer tokens than wanted");
  EXPECT_EQ(cut.warnings[0].why, "they have 13 tokens, which fill 3 windows; wanted are 4 of 4");
}

TEST(Windows, DoNotDependOnTheThreads) {
  const text::Tokenizer tokenizer = text::open_tokenizer(LQ_TEST_DATA "/tiny-llama");
  const Texts texts = built_in_texts();
  WindowOptions options = options_of(128, 64, 64);
  options.n_vocab = 2048;
  const TokenWindows one = cut_windows(tokenizer, texts.texts, options).windows;
  for (const int n_threads : {2, 3}) {
    options.n_threads = n_threads;
    const TokenWindows same = cut_windows(tokenizer, texts.texts, options).windows;
    EXPECT_EQ(same.ids, one.ids);
    EXPECT_EQ(same.offsets, one.offsets);
  }
}

TEST(Windows, TheirContentIdIsOfOffsetsAndIds) {
  const TokenWindows windows{{1, 7, 9}, {0, 2, 3}};
  // Python: sha256(struct.pack("<3q3i", 0, 2, 3, 1, 7, 9))
  EXPECT_EQ(windows.content_id(),
            "d695d5d7da7dcbb12240b31f6e4cca86f7e1201b91833c6e208c99b0dd5a4525");
  EXPECT_NE((TokenWindows{{1, 7, 9}, {0, 1, 3}}).content_id(), windows.content_id());
}

TEST(Windows, IdsThatTheEmbeddingLacksAreRefused) {
  WindowOptions options = options_of(4, 1, 1);
  options.n_vocab = 516;
  EXPECT_NO_THROW(cut_windows(byte_tokenizer(), Strings{"a<d>"}, options));
  const auto error = error_of<base::ValidationError>([&] {
    cut_windows(byte_tokenizer(), Strings{"ab", "<E> "}, options);
  });
  EXPECT_STREQ(error.what(), "cannot cut the calibration texts into tokens of the model");
  EXPECT_EQ(error.why(),
            "the tokenizer, which has 518 tokens, gives the id 517 (`<E> `), but the model's "
            "embedding has 516 rows");
  EXPECT_EQ(
      error.fix(),
      "take tokenizer and weights from the same model, or give token ids: lq-calibrate --tokens");
  options.n_vocab = 512;
  const auto bos = error_of<base::ValidationError>(
      [&] { cut_windows(byte_tokenizer_with_bos(), Strings{"ab"}, options); });
  EXPECT_NE(bos.why().find("the id 512 (`<a>`)"), std::string::npos);
}

TEST(Windows, TextsWithoutTokensAreRefused) {
  const auto error = error_of<base::ValidationError>([] {
    cut_windows(byte_tokenizer(), Strings{"", ""}, options_of(4, 1, 1));
  });
  EXPECT_STREQ(error.what(), "cannot cut the calibration texts into windows");
  EXPECT_EQ(error.why(), "the tokenizer makes no token of them");
}

TEST(Windows, AModelWithoutATokenizerThatIsKnownPointsToTokenIds) {
  const testing::ScratchDirectory scratch;
  const auto missing = error_of<base::ModelNotFoundError>([&] { open_tokenizer(scratch.path()); });
  EXPECT_EQ(missing.what(), "cannot find the tokenizer of " + scratch.path().string());
  EXPECT_EQ(missing.why(), "neither tokenizer.json nor tokenizer.model is in this directory");
  EXPECT_EQ(missing.fix(),
            "download tokenizer.json (or tokenizer.model) from the model's repository; or give "
            "token ids: lq-calibrate --tokens");
  scratch.write("tokenizer.json", R"({"model": {"type": "Rot13"}})");
  const auto unknown = error_of<base::UnsupportedError>([&] { open_tokenizer(scratch.path()); });
  EXPECT_EQ(unknown.fix(),
            "use a model whose tokenizer has the parts that lq knows; or give token ids: "
            "lq-calibrate --tokens");
}

}  // namespace
}  // namespace lq::calibration
