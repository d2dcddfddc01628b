#pragma once
// The headers with which the Hub tells what is left of a client's quota.

#include <optional>
#include <string_view>

#include "common/net/http.h"

namespace lq::net {

/// RateLimit: "resolvers";r=2998;t=172 and RateLimit-Policy: "fixed window";"resolvers";q=3000;w=300
struct RateLimit {
  std::optional<double> left, seconds_to_reset, quota;
};
RateLimit rate_limit_of(const HttpHead& head);

/// A whole or fractional number that is not negative; empty for anything else.
std::optional<double> non_negative(std::string_view text);

}  // namespace lq::net
