#include "common/verify/svg.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <fmt/format.h>

namespace lq::verify {
namespace {

constexpr int kLabelHeight = 16;
constexpr int kCharWidth = 7;  // of the page's font at 12 px, about

std::string open_svg(int width, int height, std::string_view title) {
  return fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" style=\"max-width:{0}px\" role=\"img\">\n<title>{2}</title>\n",
      width, height, escape_html(title));
}

std::string label(double x, double y, std::string_view anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     escape_html(text));
}

std::string line(double x1, double y1, double x2, double y2) {
  return fmt::format(
      "<line class=\"axis\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x1, y1,
      x2, y2);
}

/// From pale to dark: a share of the way.
std::string colour(double share) {
  constexpr std::array<double, 3> kPale = {237, 243, 250}, kMiddle = {86, 152, 201},
                                  kDark = {11, 42, 92};
  const bool is_pale = share < 0.5;
  const double t = is_pale ? 2 * share : 2 * share - 1;
  const auto& from = is_pale ? kPale : kMiddle;
  const auto& to = is_pale ? kMiddle : kDark;
  std::array<int, 3> rgb{};
  for (std::size_t i = 0; i < 3; ++i) {
    rgb[i] = static_cast<int>(std::lround(from[i] + t * (to[i] - from[i])));
  }
  return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

std::size_t widest(std::span<const std::string> texts) {
  std::size_t most = 0;
  for (const std::string& text : texts) most = std::max(most, text.size());
  return most;
}

/// Where values lie between the least above 0 and the greatest, by their logarithms.
class LogScale {
 public:
  explicit LogScale(std::span<const std::optional<double>> values) {
    for (const std::optional<double>& value : values) {
      if (!value || !std::isfinite(*value) || *value <= 0) continue;
      least_ = least_ == 0 ? *value : std::min(least_, *value);
      greatest_ = std::max(greatest_, *value);
    }
  }

  double least() const { return least_; }
  double greatest() const { return greatest_; }
  double share(double value) const {
    if (!std::isfinite(value)) return 1;
    if (value <= least_) return 0;
    return greatest_ > least_ ? std::log(value / least_) / std::log(greatest_ / least_) : 0;
  }

 private:
  double least_ = 0, greatest_ = 0;
};

/// A round number at or above `value`, for the end of an axis.
double round_up(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0}) {
    if (value <= step * power * (1 + 1e-9)) return step * power;
  }
  return 10 * power;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
      case '\t':
        out += c;
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string heat_map(const HeatMap& map) {
  assert(map.values.size() == map.rows.size() * map.columns.size());
  const int left = static_cast<int>(widest(map.rows)) * kCharWidth + 12;
  const int cell = std::clamp(640 / std::max(1, static_cast<int>(map.columns.size())), 10, 44);
  constexpr int kCellHeight = 22;
  const int width = left + cell * static_cast<int>(map.columns.size()) + 12;
  const int bottom = kCellHeight * static_cast<int>(map.rows.size());
  const LogScale scale(map.values);
  std::string svg =
      open_svg(std::max(width, left + 280), bottom + 3 * kLabelHeight + 14, map.title);
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    const int y = kCellHeight * static_cast<int>(r);
    svg += label(left - 6, y + 15, "end", map.rows[r]);
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      const std::optional<double>& value = map.values[r * map.columns.size() + c];
      if (!value) continue;
      svg += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"><title>{}, {}: "
          "{:.4g}</title></rect>\n",
          left + cell * static_cast<int>(c), y, cell - 1, kCellHeight - 1,
          colour(scale.share(*value)), escape_html(map.rows[r]), escape_html(map.columns[c]),
          *value);
    }
  }
  // Every so many columns have room for their label.
  const int room = static_cast<int>(widest(map.columns)) * kCharWidth + 6;
  const auto step = static_cast<std::size_t>((room + cell - 1) / cell);
  for (std::size_t c = 0; c < map.columns.size(); c += step) {
    svg += label(left + cell * (static_cast<double>(c) + 0.5), bottom + kLabelHeight, "middle",
                 map.columns[c]);
  }
  constexpr int kSteps = 40, kStepWidth = 4;
  const int y = bottom + kLabelHeight + 12;
  for (int i = 0; i < kSteps; ++i) {
    svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"9\" fill=\"{}\"/>\n",
                       left + i * kStepWidth, y, kStepWidth, colour((i + 0.5) / kSteps));
  }
  svg += label(left, y + 9 + kLabelHeight, "start", fmt::format("{:.2g}", scale.least()));
  svg += label(left + kSteps * kStepWidth, y + 9 + kLabelHeight, "end",
               fmt::format("{:.2g}", scale.greatest()));
  svg += label(left + kSteps * kStepWidth + 10, y + 9, "start", map.value_name);
  return svg + "</svg>\n";
}

std::string histogram(const std::string& title, const std::string& value_name,
                      std::span<const double> sorted, double least) {
  assert(!sorted.empty() && least > 0);
  constexpr int kPerDecade = 4, kWidth = 680, kHeight = 200, kLeft = 50, kTop = 8;
  const auto bar_of = [&](double value) {
    if (!(value > least)) return 0;
    return 1 + static_cast<int>(std::floor(kPerDecade * std::log10(value / least)));
  };
  const int n_bars = std::max(kPerDecade, bar_of(sorted.back())) + 1;
  std::vector<std::size_t> counts(static_cast<std::size_t>(n_bars));
  for (const double value : sorted) ++counts[static_cast<std::size_t>(bar_of(value))];
  const double most = static_cast<double>(*std::ranges::max_element(counts));
  const double bar = static_cast<double>(kWidth - kLeft - 10) / n_bars;
  std::string svg = open_svg(kWidth, kTop + kHeight + 3 * kLabelHeight, title);
  for (int i = 0; i < n_bars; ++i) {
    const std::size_t count = counts[static_cast<std::size_t>(i)];
    const double height = kHeight * static_cast<double>(count) / most;
    svg += fmt::format(
        "<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\">"
        "<title>{} positions</title></rect>\n",
        kLeft + i * bar, kTop + kHeight - height, bar - 1.5, height, count);
  }
  svg += line(kLeft, kTop + kHeight, kWidth - 10, kTop + kHeight);
  for (int i = 1; i <= n_bars; i += kPerDecade) {
    const double value = least * std::pow(10, (i - 1) / kPerDecade);
    svg += line(kLeft + i * bar, kTop + kHeight, kLeft + i * bar, kTop + kHeight + 4);
    svg += label(kLeft + i * bar, kTop + kHeight + kLabelHeight + 2, "middle",
                 fmt::format("{:g}", value));
  }
  svg += label(kLeft - 6, kTop + 10, "end", fmt::format("{:.0f}", most));
  svg += label((kLeft + kWidth) / 2.0, kTop + kHeight + 2.4 * kLabelHeight, "middle", value_name);
  return svg + "</svg>\n";
}

std::string scatter(const std::string& title, const std::string& x_name, const std::string& y_name,
                    std::span<const Point> points) {
  constexpr int kWidth = 680, kHeight = 320, kLeft = 70, kRight = 150, kTop = 10;
  double x_end = 0, y_end = 0;
  for (const Point& point : points) {
    x_end = std::max(x_end, point.x);
    y_end = std::max(y_end, point.y);
  }
  x_end = round_up(x_end);
  y_end = round_up(y_end);
  const auto x_of = [&](double x) { return kLeft + (kWidth - kLeft - kRight) * x / x_end; };
  const auto y_of = [&](double y) { return kTop + kHeight * (1 - y / y_end); };
  std::string svg = open_svg(kWidth, kTop + kHeight + 3 * kLabelHeight, title);
  constexpr int kTicks = 4;
  for (int i = 0; i <= kTicks; ++i) {
    const double x = x_end * i / kTicks, y = y_end * i / kTicks;
    svg += line(x_of(x), y_of(0), x_of(x), y_of(0) + 4);
    svg += label(x_of(x), y_of(0) + kLabelHeight + 2, "middle", fmt::format("{:.3g}", x));
    svg += line(kLeft - 4, y_of(y), kLeft, y_of(y));
    svg += label(kLeft - 8, y_of(y) + 4, "end", fmt::format("{:.3g}", y));
  }
  svg += line(kLeft, y_of(0), kWidth - kRight, y_of(0));
  svg += line(kLeft, y_of(0), kLeft, kTop);
  for (const Point& point : points) {
    svg += fmt::format(
        "<circle class=\"point\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"><title>{}: {:.4g}, "
        "{:.4g}</title></circle>\n",
        x_of(point.x), y_of(point.y), escape_html(point.name), point.x, point.y);
    svg += label(x_of(point.x) + 9, y_of(point.y) + 4, "start", point.name);
  }
  svg +=
      label((kLeft + kWidth - kRight) / 2.0, kTop + kHeight + 2.4 * kLabelHeight, "middle", x_name);
  svg += fmt::format(
      "<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
      kTop + kHeight / 2, escape_html(y_name));
  return svg + "</svg>\n";
}

}  // namespace lq::verify
