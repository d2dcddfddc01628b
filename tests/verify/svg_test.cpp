#include "common/verify/svg.h"

#include <gtest/gtest.h>

namespace lq::verify {
namespace {

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

TEST(Svg, EscapesWhatHtmlGivesAMeaning) {
  EXPECT_EQ(escape_html("a<b>&\"c\"\n"), "a&lt;b&gt;&amp;&quot;c&quot;\n");
  EXPECT_EQ(escape_html(std::string_view("\x1b[1m\0", 5)), "\xEF\xBF\xBD[1m\xEF\xBF\xBD");
}

TEST(Svg, AHeatMapHasACellForEachValueThatIsThere) {
  const std::string svg = heat_map(
      {"errors", "relative error", {"q", "k<"}, {"0", "1", "2"}, {0.1, 0.2, {}, 0.0, 0.4, 0.1}});
  EXPECT_EQ(count(svg, "<rect x=") - 40, 5U);  // and the legend's
  EXPECT_EQ(count(svg, "k&lt;, 1: 0.4"), 1U);
  EXPECT_EQ(count(svg, "fill=\"#0b2a5c\"><title>k&lt;, 1"), 1U);
  EXPECT_EQ(count(svg, "</svg>"), 1U);
}

TEST(Svg, AHeatMapOfEqualValuesHasOneColour) {
  const std::string svg = heat_map({"e", "v", {"q"}, {"0", "1"}, {0.5, 0.5}});
  EXPECT_EQ(count(svg, "fill=\"#edf3fa\"><title>"), 2U);
}

TEST(Svg, BarsOfAHistogramHoldAllValues) {
  const std::vector<double> values = {0, 1e-9, 1e-5, 2e-5, 0.1, 0.11, 0.12, 3};
  const std::string svg = histogram("h", "nats", values, 1e-5);
  EXPECT_EQ(count(svg, "<title>3 positions</title>"), 2U);  // up to the least, and around 0.1
  EXPECT_EQ(count(svg, "<title>1 positions</title>"), 2U);
  EXPECT_EQ(count(svg, ">0.1<"), 1U);
}

TEST(Svg, PointsLieWithinTheirAxes) {
  const std::vector<Point> points = {{"Q4_K_M", 2.3, 0.0068}, {"Q2_K", 1.4, 0.082}};
  const std::string svg = scatter("s", "size", "KL", points);
  EXPECT_EQ(count(svg, "<circle"), 2U);
  EXPECT_EQ(count(svg, ">3<"), 1U);    // the end of x
  EXPECT_EQ(count(svg, ">0.1<"), 1U);  // and of y
  EXPECT_EQ(count(svg, "Q4_K_M: 2.3, 0.0068"), 1U);
}

}  // namespace
}  // namespace lq::verify
