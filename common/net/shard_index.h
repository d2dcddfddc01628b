#pragma once
// The index of a model whose weights lie in several files:
//
//   {"metadata":{...},"weight_map":{"<tensor>":"<file, seen from the index's folder>",...}}

#include <cstdint>
#include <set>
#include <string>

namespace lq::net {

inline constexpr const char* kIndexName = "model.safetensors.index.json";
/// What is read of one: several times what the largest models have.
inline constexpr std::uint64_t kLongestIndex = std::uint64_t{64} << 20;

/// The paths of the shards in an index, which must be safetensors files below its folder. Throws
/// ValidationError.
std::set<std::string> shards_of_index(const std::string& index_text, const std::string& subfolder);

}  // namespace lq::net
