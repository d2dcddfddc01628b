// The text of bars and lines; when they are shown is progress.cpp's business.

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/cli/progress.h"
#include "common/cli/values.h"

namespace lq::cli {
namespace {

constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};

/// The power of 1024 that suits `bytes`.
std::size_t unit_of(double bytes) {
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); bytes /= 1024) ++unit;
  return unit;
}

/// Three digits, in a unit.
std::string digits(double bytes, std::size_t unit) {
  for (std::size_t i = 0; i < unit; ++i) bytes /= 1024;
  return unit == 0 || bytes >= 100 ? fmt::format("{:.0f}", bytes)
         : bytes >= 10             ? fmt::format("{:.1f}", bytes)
                                   : fmt::format("{:.2f}", bytes);
}

/// "1.25/4.10 GiB"
std::string part_of(std::uint64_t part, std::uint64_t whole) {
  const std::size_t unit = unit_of(static_cast<double>(whole));
  return fmt::format("{}/{} {}", digits(static_cast<double>(part), unit),
                     digits(static_cast<double>(whole), unit), kUnits[unit]);
}

std::string short_rate(double bytes_per_second) {
  const std::size_t unit = unit_of(bytes_per_second);
  return fmt::format("{} {}/s", digits(bytes_per_second, unit), kUnits[unit]);
}

double share_done(const ProgressNumbers& n) {
  const auto part = n.amount > 0
                        ? static_cast<double>(n.amount_done) / static_cast<double>(n.amount)
                    : n.units > 0 ? static_cast<double>(n.units_done) / static_cast<double>(n.units)
                                  : 0.0;
  return std::clamp(part, 0.0, 1.0);
}

std::string bar_of_width(double share, std::size_t width) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string bar(width, ' ');
  std::fill_n(bar.begin(), filled, '=');
  if (filled > 0 && filled < width) bar[filled - 1] = '>';
  return "[" + bar + "]";
}

/// Of tokens one number: how many there are does not change, and the layer tells where they are.
std::string amount_text(const ProgressNumbers& n) {
  return fmt::format("{:.0f} tokens", static_cast<double>(n.amount) / std::max(n.layers_to_do, 1));
}

}  // namespace

std::string rate_text(const ProgressNumbers& n) {
  if (n.measure == stage::Measure::kTokens) {
    // Were they to pass all layers one after the other.
    return fmt::format("{:.0f} tokens/s", n.amount_per_second / std::max(n.layers, 1));
  }
  return base::format_bytes(static_cast<std::uint64_t>(n.amount_per_second)) + "/s";
}

int layer_of(const std::string& unit_name) {
  for (const std::string_view marker : {"blk.", "layers."}) {
    const std::size_t at = unit_name.find(marker);
    if (at == std::string::npos) continue;
    const char* first = unit_name.data() + at + marker.size();
    int layer = -1;
    std::from_chars(first, unit_name.data() + unit_name.size(), layer);
    return layer;
  }
  return -1;
}

std::string bar_text(const std::string& tool, const ProgressNumbers& n, int columns) {
  // In the order of appearance, each with its rank: the highest ranks go first where space is
  // short.
  struct Part {
    int rank;
    std::string text;
  };
  std::vector<Part> parts;
  parts.push_back({7, tool});
  parts.push_back({0, fmt::format("{}/{}", n.units_done, n.units)});
  parts.push_back({6, fmt::format("{:.0f}%", share_done(n) * 100)});
  if (n.layer >= 0) parts.push_back({3, fmt::format("layer {}/{}", n.layer + 1, n.layers)});
  const bool bytes = n.measure == stage::Measure::kBytes;
  parts.push_back({5, bytes ? part_of(n.amount_done, n.amount) : amount_text(n)});
  parts.push_back({2, bytes ? short_rate(n.amount_per_second) : rate_text(n)});
  if (n.seconds_left >= 0) parts.push_back({1, format_seconds(n.seconds_left) + " left"});
  parts.push_back({4, "mem " + part_of(n.memory_used, n.memory_limit)});

  const auto space = static_cast<std::size_t>(std::max(columns - 1, 1));
  const auto join = [&](std::size_t bar_width) {
    std::string text;
    for (const Part& part : parts) {
      text += (text.empty() ? "" : "  ") + part.text;
      if (part.rank == 0 && bar_width > 0) text += " " + bar_of_width(share_done(n), bar_width);
    }
    return text;
  };
  while (parts.size() > 1 && join(0).size() > space) {
    parts.erase(std::ranges::max_element(parts, {}, &Part::rank));
  }
  // A bar of 8 to 30 characters takes what is left.
  const std::size_t used = join(0).size() + 3;
  const std::size_t room = space > used ? space - used : 0;
  std::string text = join(room >= 8 ? std::min<std::size_t>(room, 30) : 0);
  if (text.size() > space) text.resize(space);
  return text;
}

std::string start_text(const ProgressNumbers& n) {
  const bool bytes = n.measure == stage::Measure::kBytes;
  std::string text = fmt::format("{} units", n.units - n.units_done);
  if (bytes) text += fmt::format(", {} to write", base::format_bytes(n.amount));
  if (!bytes && n.amount > 0) text += ", " + amount_text(n);
  if (n.units_done > 0) text += fmt::format(", {} units kept", n.units_done);
  return text;
}

std::string line_text(const ProgressNumbers& n) {
  std::string text = fmt::format("{} of {} units", n.units_done, n.units);
  if (n.layer >= 0) text += fmt::format(", layer {} of {}", n.layer + 1, n.layers);
  if (n.measure == stage::Measure::kBytes) {
    text +=
        fmt::format(", {} of {}", base::format_bytes(n.amount_done), base::format_bytes(n.amount));
  }
  text += ", " + rate_text(n);
  if (n.seconds_left >= 0) text += fmt::format(", {} left", format_seconds(n.seconds_left));
  return text + fmt::format(", memory {} of {}", base::format_bytes(n.memory_used),
                            base::format_bytes(n.memory_limit));
}

}  // namespace lq::cli
