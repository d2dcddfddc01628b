#pragma once
// JSON from outside, with errors that name the file and the byte.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lq::io {

/// Throws ValidationError for broken JSON; `source` names the text in the message.
nlohmann::json parse_json(std::string_view text, const std::string& source);
/// Throws ModelNotFoundError when the file is missing, ValidationError when it is broken.
nlohmann::json read_json_file(const std::filesystem::path& path);

}  // namespace lq::io
