#pragma once
// Whole small files, and the lists of token ids that the harness is given.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace peer {

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::span<const char> bytes);

std::vector<float> read_floats(const std::string& path);
void write_floats(const std::string& path, std::span<const float> values);

/// A JSON list of token ids, or a list of such lists. One list comes back as one window.
std::vector<std::vector<std::int32_t>> read_token_lists(const std::string& path);

}  // namespace peer
