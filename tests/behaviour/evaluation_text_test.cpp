#include "common/behaviour/evaluation_text.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "common/text/utf8.h"
#include "tests/support/scratch.h"

namespace lq::behaviour {
namespace {

using calibration::DefaultText;

TEST(EvaluationTexts, AreThoseOfTheirFiles) {
  const std::filesystem::path folder = LQ_TEST_SOURCE "/../common/behaviour/texts";
  std::size_t n_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    n_files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(evaluation_texts().size(), n_files);
  EXPECT_TRUE(std::ranges::is_sorted(evaluation_texts(), {}, &DefaultText::name));
  for (const DefaultText& text : evaluation_texts()) {
    EXPECT_TRUE(testing::read_file(folder / text.name) == text.text) << text.name;
    EXPECT_EQ(text::first_invalid_utf8(text.text), std::nullopt) << text.name;
    EXPECT_EQ(text.text.find('\r'), std::string_view::npos) << text.name;
    EXPECT_TRUE(text.text.ends_with('\n') && !text.text.ends_with("\n\n")) << text.name;
  }
}

TEST(EvaluationTexts, AreOneTextWithBlankLinesBetween) {
  const std::string all = built_in_text();
  EXPECT_GT(all.size(), 50'000U);
  EXPECT_LT(all.size(), 70'000U);
  std::size_t bytes = 0;
  for (const DefaultText& text : evaluation_texts()) {
    EXPECT_NE(all.find(text.text), std::string::npos) << text.name;
    bytes += text.text.size();
  }
  EXPECT_EQ(all.size(), bytes + evaluation_texts().size() - 1);
  EXPECT_TRUE(all.ends_with(evaluation_texts().back().text));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// What was calibrated on says too little of what was lost.
TEST(EvaluationTexts, HaveNoLongLineOfTheCalibrationTexts) {
  constexpr std::size_t kLong = 40;
  std::set<std::string_view> of_calibration;
  for (const DefaultText& text : calibration::default_texts()) {
    for (const std::string_view line : lines_of(text.text)) of_calibration.insert(line);
  }
  for (const DefaultText& text : evaluation_texts()) {
    for (const std::string_view line : lines_of(text.text)) {
      EXPECT_FALSE(line.size() >= kLong && of_calibration.contains(line)) << line;
    }
  }
}

TEST(CoherencePrompts, AreInNoEvaluationText) {
  EXPECT_EQ(coherence_prompts().size(), 8U);
  const std::string all = built_in_text();
  for (const std::string_view prompt : coherence_prompts()) {
    EXPECT_EQ(all.find(prompt), std::string::npos) << prompt;
    EXPECT_FALSE(prompt.ends_with(' ')) << prompt;
    EXPECT_EQ(text::first_invalid_utf8(prompt), std::nullopt) << prompt;
  }
}

}  // namespace
}  // namespace lq::behaviour
