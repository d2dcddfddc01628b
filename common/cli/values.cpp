#include "common/cli/values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <optional>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::cli {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view wanted, std::string fix) {
  const std::string quoted = base::escape_controls(text);
  throw base::UsageError(fmt::format("cannot read '{}' as {}", quoted, wanted),
                         fmt::format("'{}' is not {}", quoted, wanted), std::move(fix));
}

/// A decimal number without sign at the start of `text`, which is shortened by it.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  if (text.empty() || !(text[0] == '.' || (text[0] >= '0' && text[0] <= '9'))) return std::nullopt;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// What the letters after a size multiply it with: "" is 1, "M" and "MiB" 1024^2, "MB" 1000^2.
std::optional<double> size_factor(std::string_view suffix) {
  const std::string unit = base::to_lower(suffix);
  if (unit.empty() || unit == "b") return 1;
  const std::size_t power = std::string_view("kmgtpe").find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(unit).substr(1);
  const int exponent = static_cast<int>(power) + 1;
  if (rest.empty() || rest == "ib") return std::pow(1024.0, exponent);
  if (rest == "b") return std::pow(1000.0, exponent);
  return std::nullopt;
}

}  // namespace

std::int64_t parse_integer(std::string_view text, std::int64_t lowest, std::int64_t highest) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && value >= lowest && value <= highest) return value;
  const std::string wanted = highest == std::numeric_limits<std::int64_t>::max()
                                 ? fmt::format("a whole number from {}", lowest)
                                 : fmt::format("a whole number from {} to {}", lowest, highest);
  refuse(text, wanted, fmt::format("give {}", wanted));
}

std::uint64_t parse_size(std::string_view text) {
  std::string_view rest = text;
  const std::optional<double> number = take_number(rest);
  const std::optional<double> factor = size_factor(rest);
  constexpr double kLimit = 18446744073709551616.0;  // 2^64
  if (!number || !factor || *number * *factor >= kLimit) {
    refuse(text, "a size",
           "give bytes, or a number with K, M, G, T (KB, MB ... for powers of 1000), "
           "such as 512M or 4GB");
  }
  return static_cast<std::uint64_t>(*number * *factor);
}

double parse_seconds(std::string_view text) {
  constexpr double kMostSeconds = 1e9;  // about 30 years; clocks overflow beyond some hundreds
  constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
      {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
  std::string_view rest = text;
  const std::optional<double> number = take_number(rest);
  for (const auto& [unit, factor] : kUnits) {
    if (number && rest == unit && *number * factor <= kMostSeconds) return *number * factor;
  }
  refuse(text, "a time", "give seconds, or a number with s, m, h or d, such as 90, 15m or 2h");
}

bool parse_bool(std::string_view text) {
  const std::string word = base::to_lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  refuse(text, "yes or no", "give true or false");
}

std::string match_choice(std::string_view text, std::span<const std::string> choices) {
  const std::string word = base::to_lower(text);
  for (const std::string& choice : choices) {
    if (base::to_lower(choice) == word) return choice;
  }
  const std::string near = base::nearest(text, choices);
  const std::string list = fmt::format("{}", fmt::join(choices, ", "));
  refuse(text, "one of " + list,
         near.empty() ? "give one of " + list : fmt::format("did you mean {}?", near));
}

std::string format_number(double value) { return fmt::format("{}", value); }

std::string format_seconds(double seconds) {
  if (seconds < 1) return fmt::format("{:.2f} s", seconds);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace lq::cli
