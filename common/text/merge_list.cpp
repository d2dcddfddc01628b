#include "common/text/merge_list.h"

#include <fmt/format.h>

#include "common/text/tokenizer_files.h"
#include "common/text/tokenizer_part.h"

namespace lq::text {
namespace {

using nlohmann::json;

}  // namespace

const json& merges_of(const json& model, const std::filesystem::path& file) {
  const json& merges = member(model, "merges");
  if (!merges.is_array()) {
    TokenizerPart(model, file, "model").reject("its model has no list of merges");
  }
  return merges;
}

Merge parse_merge(const json& entry, std::size_t index, const std::filesystem::path& file) {
  if (entry.is_string()) {
    const std::string& text = entry.get_ref<const std::string&>();
    const std::size_t space = space_in_merge(text);
    if (space != 0) return {text.substr(0, space), text.substr(space + 1)};
  } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() &&
             entry[1].is_string()) {
    return {entry[0].get<std::string>(), entry[1].get<std::string>()};
  }
  reject_merge(index, file);
}

std::size_t space_in_merge(const std::string& text) {
  const std::size_t space = text.find(' ');
  const bool pair =
      space != text.npos && space + 1 < text.size() && text.find(' ', space + 1) == text.npos;
  return pair ? space : 0;
}

void reject_merge(std::size_t index, const std::filesystem::path& file) {
  const json none;
  TokenizerPart(none, file, "model")
      .reject(fmt::format("merge number {} is not a pair of tokens", index));
}

}  // namespace lq::text
