#include "common/net/rate_limit.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace lq::net {
namespace {

/// A parameter of a structured header.
std::optional<double> parameter(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(';'), header.size());
    const std::string_view item = header.substr(0, end);
    const std::size_t equals = item.find('=');
    if (equals != std::string_view::npos && item.substr(0, equals) == name) {
      return non_negative(item.substr(equals + 1));
    }
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return {};
}

}  // namespace

std::optional<double> non_negative(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(number >= 0) ||
      !std::isfinite(number)) {
    return {};
  }
  return number;
}

RateLimit rate_limit_of(const HttpHead& head) {
  const std::string limit = head.header("ratelimit");
  return {parameter(limit, "r"), parameter(limit, "t"),
          parameter(head.header("ratelimit-policy"), "q")};
}

}  // namespace lq::net
