#include "common/text/tokenizer_files.h"

#include <system_error>

#include "common/io/json_file.h"

namespace lq::text {
namespace {

using nlohmann::json;

json read_if_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? io::read_json_file(path) : json();
}

}  // namespace

TokenizerFiles read_tokenizer_files(const std::filesystem::path& dir) {
  return {.config = read_if_there(dir / "tokenizer_config.json"),
          .special_map = read_if_there(dir / "special_tokens_map.json"),
          .added = read_if_there(dir / "added_tokens.json")};
}

const json& member(const json& object, std::string_view key) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto at = object.find(key);
  return at == object.end() ? kNull : *at;
}

bool is_type(const json& object, std::string_view type) {
  const json& stated = member(object, "type");
  return stated.is_string() && stated.get_ref<const std::string&>() == type;
}

std::string token_content(const json& value) {
  const json& content = value.is_object() ? member(value, "content") : value;
  return content.is_string() ? content.get<std::string>() : std::string();
}

}  // namespace lq::text
