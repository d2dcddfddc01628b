#pragma once
// Safetensors files written by hand, right and wrong ones.

#include <cstdint>
#include <string>

namespace lq::testing {

/// The length field of a header.
inline std::string little_endian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xFF);
    value >>= 8;
  }
  return bytes;
}

inline std::string raw_file(const std::string& header, const std::string& data = {}) {
  return little_endian(header.size()) + header + data;
}

}  // namespace lq::testing
