#pragma once
// Values of records that other programs and people may have changed: manifests and journals.
// nlohmann's value() takes the default for a missing key only and throws for one of another type.

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace lq::stage {

/// record[key], or `otherwise` when the record is no object, has no such key or has something else
/// there. Numbers convert among each other.
template <class T>
T value_or(const nlohmann::json& record, const char* key, T otherwise) {
  if (!record.is_object()) return otherwise;
  const auto found = record.find(key);
  if (found == record.end()) return otherwise;
  try {
    return found->template get<T>();
  } catch (const nlohmann::json::type_error&) {
    return otherwise;
  }
}

inline std::string text_or(const nlohmann::json& record, const char* key, std::string otherwise) {
  return value_or(record, key, std::move(otherwise));
}

}  // namespace lq::stage
