#pragma once
// Random damage to the bytes of a file, the same for the same generator.

#include <algorithm>
#include <array>
#include <random>
#include <string>

namespace lq::testing {

/// One to four edits: bytes replaced (often by values at the edge of a type), ranges cut out,
/// written twice or copied elsewhere, digits put in, the end cut off.
inline std::string damaged(std::string bytes, std::mt19937_64& random) {
  const auto below = [&random](std::size_t n) { return n == 0 ? 0 : random() % n; };
  constexpr std::array<char, 8> kEdges = {'\0', '\x01', '\x7f', '\x80', '\xff', '"', '\x1b', '9'};
  for (std::size_t edits = 1 + below(4); edits > 0 && !bytes.empty(); --edits) {
    const std::size_t at = below(bytes.size());
    const std::size_t length = std::min<std::size_t>(1 + below(12), bytes.size() - at);
    switch (below(8)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes[at] = kEdges[below(kEdges.size())];
        break;
      case 2:
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), length, '\xff');
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 5:
        bytes.insert(below(bytes.size()), bytes.substr(at, length));
        break;
      case 6:
        bytes.insert(at, "99999999999999999999", 1 + below(20));
        break;
      default:
        bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace lq::testing
