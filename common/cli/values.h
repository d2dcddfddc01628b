#pragma once
// The values of options as people write them: whole numbers, sizes, times, words out of a list.
// Every function throws UsageError whose `why` quotes the text and whose `fix` shows what is
// understood.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lq::cli {

std::int64_t parse_integer(std::string_view text, std::int64_t lowest, std::int64_t highest);
/// Bytes: "4096", "512M" and "512MiB" (powers of 1024), "4GB" (powers of 1000), "1.5G".
std::uint64_t parse_size(std::string_view text);
/// Seconds: "90", "90s", "15m", "2h", "1.5h".
double parse_seconds(std::string_view text);
/// "true", "yes", "on", "1" and their opposites.
bool parse_bool(std::string_view text);
/// The choice that equals `text` without regard to case, as the list spells it; the error names the
/// nearest.
std::string match_choice(std::string_view text, std::span<const std::string> choices);

/// The shortest text that reads back as the same number: "90", "0.5", "inf".
std::string format_number(double value);
/// A span of time for people: "0.42 s", "12.3 s", "3:05", "1:02:03".
std::string format_seconds(double seconds);

}  // namespace lq::cli
