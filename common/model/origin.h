#pragma once
// Where a model directory came from: its manifest, or its place in the Hub's shared cache.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace lq::model {

/// {"repo": "ns/name", "commit": ..., "endpoint": ...} as far as known; null when nothing tells it.
/// A manifest that cannot be read counts as none: it is not this directory's content.
nlohmann::ordered_json read_origin(const std::filesystem::path& dir);

}  // namespace lq::model
