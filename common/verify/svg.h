#pragma once
// Plots as inline SVG, for a page that needs nothing else. Colours come from classes that the page
// defines (html_report.cpp); every plot has a title for readers that do not see it.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lq::verify {

/// Text with what HTML gives a meaning escaped, and control characters shown as U+FFFD.
std::string escape_html(std::string_view text);

/// Cells coloured by the logarithm of their values, which must be 0 or more; none: left blank.
struct HeatMap {
  std::string title, value_name;
  std::vector<std::string> rows, columns;
  std::vector<std::optional<double>> values;  // [rows][columns]
};
std::string heat_map(const HeatMap& map);

/// How many of `sorted` (ascending, not empty) lie between powers of ten, four bars each; what is
/// below `least` is in the first.
std::string histogram(const std::string& title, const std::string& value_name,
                      std::span<const double> sorted, double least);

/// A point with a name: size against quality, both axes linear from 0.
struct Point {
  std::string name;
  double x = 0, y = 0;
};
std::string scatter(const std::string& title, const std::string& x_name, const std::string& y_name,
                    std::span<const Point> points);

}  // namespace lq::verify
