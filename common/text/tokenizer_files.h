#pragma once
// The small JSON files beside a tokenizer, read once; and access to what they hold that does not
// trust its type.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lq::text {

/// Every member is null where the directory does not have the file.
struct TokenizerFiles {
  nlohmann::json config;       // tokenizer_config.json
  nlohmann::json special_map;  // special_tokens_map.json
  nlohmann::json added;        // added_tokens.json: {text: id}
};

/// Throws ValidationError for a file that is there and broken.
TokenizerFiles read_tokenizer_files(const std::filesystem::path& dir);

/// The member of an object; null when `object` is none or has no such member.
const nlohmann::json& member(const nlohmann::json& object, std::string_view key);

/// Whether `object` is of the given "type", as every part of tokenizer.json says of itself.
bool is_type(const nlohmann::json& object, std::string_view type);

/// The text of a token that is written as a string or as {"content": string}; empty otherwise.
std::string token_content(const nlohmann::json& value);

}  // namespace lq::text
