#pragma once
// The merges of a BPE model as tokenizer.json writes them: "left right" or ["left", "right"].

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace lq::text {

struct Merge {
  std::string left, right;
};

/// The "merges" of a model. Throws ValidationError when it has no such list.
const nlohmann::json& merges_of(const nlohmann::json& model, const std::filesystem::path& file);

/// One of them; `index` is named in the ValidationError for what is no pair.
Merge parse_merge(const nlohmann::json& entry, std::size_t index,
                  const std::filesystem::path& file);

/// Where the left part of "left right" ends; 0 when that is not a pair.
std::size_t space_in_merge(const std::string& text);

[[noreturn]] void reject_merge(std::size_t index, const std::filesystem::path& file);

}  // namespace lq::text
