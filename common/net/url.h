#pragma once
// Absolute http and https addresses, through libcurl's parser (RFC 3986).

#include <optional>
#include <string>
#include <string_view>

namespace lq::net {

/// Who an address belongs to. A token never goes to another one.
struct Origin {
  std::string scheme, host;
  std::string port;

  bool operator==(const Origin&) const = default;
};

class Url {
 public:
  /// Empty for anything but an http(s) address with a host and without user or password.
  static std::optional<Url> parse(const std::string& text);
  /// Where a Location header of an answer from this address leads; empty as for parse().
  std::optional<Url> resolve(const std::string& location) const;

  const std::string& text() const { return text_; }
  const Origin& origin() const { return origin_; }
  bool is_https() const { return origin_.scheme == "https"; }
  /// Without the query, which can be a signature: for messages and logs.
  std::string shown() const;
  /// The same path and query at another origin, below the path of that one.
  Url moved_below(const Url& other) const;

  bool operator==(const Url& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  Origin origin_;
};

/// Everything but letters, digits and -._~ as %XX: one segment of a path, or a value.
std::string percent_encode(std::string_view text);
/// The same, slashes kept.
std::string percent_encode_path(std::string_view path);

}  // namespace lq::net
