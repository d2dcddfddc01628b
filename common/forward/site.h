#pragma once
// The places of a layer whose values linear layers read. Statistics are kept per site: all linear
// layers of one share its input.

#include <cstdint>

namespace lq::forward {

enum class Site : std::uint8_t { kAttnIn, kAttnOut, kMlpIn, kMlpDown, kHeadIn };

}  // namespace lq::forward
