#include "common/text/tokenizer_part.h"

#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/text/tokenizer_files.h"
#include "common/text/utf8.h"

namespace lq::text {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 16;

}  // namespace

TokenizerPart::TokenizerPart(const json& value, const std::filesystem::path& file,
                             std::string_view role, std::size_t depth)
    : value_(value), file_(file), role_(role), depth_(depth) {}

const std::string& TokenizerPart::type() const {
  const json& type = member(value_, "type");
  if (!type.is_string()) reject(fmt::format("its {} has no type", role_));
  return type.get_ref<const std::string&>();
}

bool TokenizerPart::flag(std::string_view key, bool absent) const {
  const json& found = member(value_, key);
  if (found.is_null()) return absent;
  if (!found.is_boolean()) reject(fmt::format("`{}` of its {} is not true or false", key, role_));
  return found.get<bool>();
}

std::string TokenizerPart::text(std::string_view key) const {
  const json& found = member(value_, key);
  if (!found.is_string()) reject(fmt::format("`{}` of its {} is not a string", key, role_));
  return found.get<std::string>();
}

std::string TokenizerPart::text(std::string_view key, std::string_view absent) const {
  return member(value_, key).is_null() ? std::string(absent) : text(key);
}

std::string TokenizerPart::character(std::string_view key, std::string_view absent) const {
  std::string found = text(key, absent);
  if (found.empty() || code_point_at(found, 0).n_bytes != found.size()) {
    reject(fmt::format("`{}` of its {} is not one character", key, role_));
  }
  return found;
}

std::size_t TokenizerPart::count(std::string_view key) const {
  const json& found = member(value_, key);
  if (!found.is_number_integer() || found < 0) {
    reject(fmt::format("`{}` of its {} is not a number from 0", key, role_));
  }
  return found.get<std::size_t>();
}

std::vector<TokenizerPart> TokenizerPart::parts(std::string_view key) const {
  const json& list = member(value_, key);
  if (!list.is_array()) reject(fmt::format("`{}` of its {} is not a list", key, role_));
  if (depth_ == kMaxDepth) {
    reject(
        fmt::format("sequences of its {} stand more than {} deep in each other", role_, kMaxDepth));
  }
  std::vector<TokenizerPart> parts;
  for (const json& one : list) parts.emplace_back(one, file_, role_, depth_ + 1);
  return parts;
}

void TokenizerPart::reject(std::string_view why) const {
  throw base::ValidationError(fmt::format("cannot use the tokenizer {}", base::shown(file_)),
                              base::escape_controls(why), "download the tokenizer files again");
}

void TokenizerPart::refuse(std::string_view why) const {
  throw base::UnsupportedError(fmt::format("cannot use the tokenizer {}", base::shown(file_)),
                               base::escape_controls(why),
                               "use a model whose tokenizer has the parts that lq knows");
}

void TokenizerPart::refuse_type() const {
  refuse(fmt::format("its {} is of the unknown kind '{}'", role_, type()));
}

}  // namespace lq::text
