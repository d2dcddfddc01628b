#pragma once
// A model's chat templates, wherever its repository keeps them: chat_template.jinja with
// additional_chat_templates/, tokenizer_config.json (one, or a list of named ones),
// chat_template.json.

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lq::text {

struct ChatTemplates {
  std::string main;                          // empty = none
  std::map<std::string, std::string> named;  // names made of letters, digits and '_'
};

/// The .jinja files of DIR/additional_chat_templates, sorted. Throws ValidationError when that
/// directory is there and cannot be read.
std::vector<std::filesystem::path> named_template_files(const std::filesystem::path& dir);

/// The places in the order above; the first that has a main template decides it. Throws
/// ValidationError for a template file that is no UTF-8 text.
ChatTemplates read_chat_templates(const std::filesystem::path& dir,
                                  const nlohmann::json& tokenizer_config);

}  // namespace lq::text
