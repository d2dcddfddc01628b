#include "common/calibration/default_texts.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <set>

#include "common/text/utf8.h"
#include "tests/support/scratch.h"

namespace lq::calibration {
namespace {

TEST(DefaultTexts, AreManyAndLongEnough) {
  std::size_t bytes = 0;
  std::set<std::string_view> names;
  for (const DefaultText& text : default_texts()) {
    bytes += text.text.size();
    names.insert(text.name);
    EXPECT_GE(text.text.size(), 2000U) << text.name;
  }
  EXPECT_GE(bytes, 140'000U);
  EXPECT_GE(names.size(), 32U);
  EXPECT_EQ(names.size(), default_texts().size());
  EXPECT_TRUE(std::ranges::is_sorted(default_texts(), {}, &DefaultText::name));
}

TEST(DefaultTexts, AreThoseOfTheirFiles) {
  const std::filesystem::path folder = LQ_TEST_SOURCE "/../common/calibration/texts";
  for (const DefaultText& text : default_texts()) {
    EXPECT_TRUE(testing::read_file(folder / text.name) == text.text) << text.name;
    EXPECT_EQ(text::first_invalid_utf8(text.text), std::nullopt) << text.name;
    EXPECT_EQ(text.text.find('\r'), std::string_view::npos) << text.name;
  }
}

}  // namespace
}  // namespace lq::calibration
