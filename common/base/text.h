#pragma once
// Text for people: sizes, quoted names from untrusted files, the nearest spelling of a mistyped
// word.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace lq::base {

/// "1.25 GiB", "17 B"
std::string format_bytes(std::uint64_t bytes);
/// Control characters and invalid UTF-8 become \xNN, so that a name from a file cannot drive a
/// terminal.
std::string escape_controls(std::string_view text);
/// A path as messages show it.
std::string shown(const std::filesystem::path& path);
/// A web address as a message may show it: without query, user and password.
std::string without_secrets(std::string_view address);
/// A sentence in which the web addresses have lost their queries, which can be signatures.
std::string without_queries(std::string_view text);
/// Without blanks and line ends on both sides.
std::string_view trimmed(std::string_view text);
/// Exactly that many digits 0-9 a-f.
bool is_lower_hex(std::string_view text, std::size_t n_digits);
/// ASCII only, locale-free.
std::string to_lower(std::string_view text);
/// The candidate with the smallest edit distance; empty when none is near (distance above a third
/// of the length).
std::string nearest(std::string_view word, std::span<const std::string> candidates);
/// errno as text, thread-safe: "No space left on device"
std::string errno_text(int error_number);

}  // namespace lq::base
