#include "common/text/chat_templates.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <system_error>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/input_file.h"
#include "common/io/json_file.h"
#include "common/io/list_directory.h"
#include "common/text/tokenizer_files.h"

namespace lq::text {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxTemplateBytes = std::uint64_t{4} << 20;

/// What a metadata key may consist of.
std::string key_name(std::string_view name) {
  std::string key(name);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  std::ranges::replace_if(
      key, [&](char c) { return !plain(c); }, '_');
  return key;
}

std::string read_template_file(const std::filesystem::path& path) {
  std::string text = io::read_text_file(path, kMaxTemplateBytes);
  try {
    static_cast<void>(json(text).dump());
  } catch (const json::exception&) {
    throw base::ValidationError(fmt::format("cannot read the chat template {}", base::shown(path)),
                                "it is not UTF-8 text", "download the file again");
  }
  return text;
}

void keep(std::string_view name, const std::string& text, ChatTemplates& templates) {
  if (text.empty()) return;
  if (name == "default") {
    if (templates.main.empty()) templates.main = text;
  } else {
    templates.named.emplace(key_name(name), text);
  }
}

/// The value of a "chat_template" key: one template, or a list of {"name", "template"}.
void keep_value(const json& value, ChatTemplates& templates) {
  if (value.is_string()) keep("default", value.get<std::string>(), templates);
  if (!value.is_array()) return;
  for (const json& entry : value) {
    const json& name = member(entry, "name");
    const json& text = member(entry, "template");
    if (name.is_string() && text.is_string()) {
      keep(name.get<std::string>(), text.get<std::string>(), templates);
    }
  }
}

}  // namespace

std::vector<std::filesystem::path> named_template_files(const std::filesystem::path& dir) {
  const std::filesystem::path folder = dir / "additional_chat_templates";
  std::error_code failed;
  std::vector<std::filesystem::path> files = io::list_directory(folder, failed);
  if (failed && failed != std::errc::no_such_file_or_directory &&
      failed != std::errc::not_a_directory) {
    throw base::ValidationError(
        fmt::format("cannot list the chat templates in {}", base::shown(folder)),
        base::errno_text(failed.value()), "check that you may read it, or remove it");
  }
  std::erase_if(files, [](const std::filesystem::path& path) {
    std::error_code ignored;
    return path.extension() != ".jinja" || !std::filesystem::is_regular_file(path, ignored);
  });
  return files;
}

ChatTemplates read_chat_templates(const std::filesystem::path& dir, const json& tokenizer_config) {
  std::error_code ignored;
  ChatTemplates templates;
  if (std::filesystem::is_regular_file(dir / "chat_template.jinja", ignored)) {
    keep("default", read_template_file(dir / "chat_template.jinja"), templates);
  }
  for (const std::filesystem::path& path : named_template_files(dir)) {
    keep(path.stem().string(), read_template_file(path), templates);
  }
  keep_value(member(tokenizer_config, "chat_template"), templates);
  if (templates.main.empty() && std::filesystem::exists(dir / "chat_template.json", ignored)) {
    const json file = io::read_json_file(dir / "chat_template.json");
    keep_value(member(file, "chat_template"), templates);
  }
  return templates;
}

}  // namespace lq::text
