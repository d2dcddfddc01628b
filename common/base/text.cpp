#include "common/base/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fmt/format.h>
#include <numeric>
#include <system_error>
#include <vector>

namespace lq::base {
namespace {

/// Length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629: no overlong forms, no
/// surrogates), 0 for none; its code point goes to `code_point`.
std::size_t utf8_length(std::string_view text, char32_t& code_point) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  std::size_t length = 0;
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  code_point = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code_point = (code_point << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLowest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return code_point < kLowest[length] || code_point > 0x10FFFF || surrogate ? 0 : length;
}

/// Characters that drive a terminal, break a line, or change the direction in which the rest is
/// read.
bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/// Levenshtein distance in which swapping two neighbours counts as one step.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits = {"B",   "KiB", "MiB", "GiB",
                                                      "TiB", "PiB", "EiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  // 1023.995 would print as "1024.00".
  while (value >= 1023.995 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.2f} {}", value, kUnits[unit]);
}

std::string escape_controls(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    char32_t code_point = 0;
    const std::size_t length = utf8_length(text, code_point);
    const std::size_t taken = std::max<std::size_t>(length, 1);
    if (length > 0 && !is_control(code_point)) {
      escaped += text.substr(0, taken);
    } else {
      for (const char c : text.substr(0, taken)) {
        escaped += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
      }
    }
    text.remove_prefix(taken);
  }
  return escaped;
}

std::string shown(const std::filesystem::path& path) { return escape_controls(path.string()); }

std::string without_queries(std::string_view text) {
  constexpr std::string_view kEnds = " \t\"'<>,;)";
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t address = std::min(text.find("://", at), text.size());
    const std::size_t end = std::min(text.find_first_of(kEnds, address), text.size());
    const std::size_t query = std::min(text.find('?', address), end);
    result += text.substr(at, query - at);
    at = end;
    if (at < text.size()) result += text[at++];
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

bool is_lower_hex(std::string_view text, std::size_t n_digits) {
  return text.size() == n_digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string without_secrets(std::string_view address) {
  address = address.substr(0, address.find_first_of("?#"));
  const std::size_t scheme_end = address.find("//");
  if (scheme_end == std::string_view::npos) return escape_controls(address);
  const std::size_t host = scheme_end + 2;
  const std::size_t at = address.substr(host, address.find('/', host) - host).rfind('@');
  if (at == std::string_view::npos) return escape_controls(address);
  return escape_controls(std::string(address.substr(0, host)) +
                         std::string(address.substr(host + at + 1)));
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  const std::string wanted = to_lower(word);
  std::string best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, to_lower(candidate));
    const std::size_t allowed =
        std::max<std::size_t>(1, std::max(wanted.size(), candidate.size()) / 3);
    if (distance > allowed) continue;
    if (best.empty() || distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string errno_text(int error_number) { return std::generic_category().message(error_number); }

}  // namespace lq::base
