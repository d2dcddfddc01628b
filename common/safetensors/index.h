#pragma once
// model.safetensors.index.json: which tensor of a sharded model lies in which file.
//
//   {"metadata": {"total_size": BYTES},
//    "weight_map": {"tensor": "model-00001-of-00002.safetensors"}}
//
// File names carry no authority, the map does.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lq::safetensors {

inline constexpr std::string_view kIndexName = "model.safetensors.index.json";

struct Index {
  std::vector<std::pair<std::string, std::string>> weight_map;  // tensor, file; in file order
  std::optional<std::uint64_t> total_size;
  std::vector<std::string> warnings;

  /// The distinct files, sorted by name.
  std::vector<std::string> files() const;
};

/// Needs the index alone, none of the files that it names: for looking at a directory without its
/// weights. Throws ModelNotFoundError when it is missing, ValidationError when it breaks a rule.
Index read_index(const std::filesystem::path& path);

}  // namespace lq::safetensors
