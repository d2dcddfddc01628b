#include "common/model/key_reader.h"

#include <cmath>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::model {

using nlohmann::json;

const json* KeyReader::find(std::span<const std::string_view> keys, std::string& found) const {
  for (const std::string_view key : keys) {
    const auto at = object_.find(key);
    if (at != object_.end() && !at->is_null()) {
      found = prefix_ + std::string(key);
      return &*at;
    }
  }
  return nullptr;
}

std::optional<double> KeyReader::real(std::initializer_list<std::string_view> keys) const {
  std::string key;
  const json* value = find({keys.begin(), keys.size()}, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->get<double>())) reject(key, *value, "a number");
  return value->get<double>();
}

std::optional<double> KeyReader::positive(std::initializer_list<std::string_view> keys) const {
  const std::optional<double> value = real(keys);
  if (!value || *value > 0) return value;
  std::string key;
  const json* stated = find({keys.begin(), keys.size()}, key);
  reject(key, *stated, "a number above 0");
}

std::optional<std::int64_t> KeyReader::whole(std::initializer_list<std::string_view> keys,
                                             std::int64_t lowest, std::int64_t highest) const {
  std::string key;
  const json* value = find({keys.begin(), keys.size()}, key);
  if (value == nullptr) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(number >= static_cast<double>(lowest) && number <= static_cast<double>(highest)) ||
      number != std::floor(number)) {
    reject(key, *value, fmt::format("a whole number from {} to {}", lowest, highest));
  }
  return static_cast<std::int64_t>(number);
}

std::string KeyReader::text(std::initializer_list<std::string_view> keys) const {
  std::string key;
  const json* value = find({keys.begin(), keys.size()}, key);
  if (value == nullptr) return {};
  if (!value->is_string()) reject(key, *value, "a string");
  return value->get<std::string>();
}

bool KeyReader::flag(std::string_view name, bool absent) const {
  std::string key;
  const json* value = find({&name, 1}, key);
  if (value == nullptr) return absent;
  if (!value->is_boolean()) reject(key, *value, "true or false");
  return value->get<bool>();
}

void KeyReader::reject(const std::string& key, const json& value, std::string_view expected) const {
  std::string dumped = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (dumped.size() > 60) dumped = dumped.substr(0, 57) + "...";
  throw base::ValidationError("cannot read " + base::shown(file_),
                              fmt::format("{} is {}, expected {}", base::escape_controls(key),
                                          base::escape_controls(dumped), expected),
                              "get the file from its source again, or correct the value");
}

}  // namespace lq::model
