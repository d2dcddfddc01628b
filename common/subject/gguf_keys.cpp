#include "common/subject/gguf_keys.h"

#include <cmath>
#include <fmt/format.h>
#include <type_traits>
#include <variant>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::subject {
namespace {

/// A value as a message shows it.
std::string shown_value(const gguf::Value& value) {
  constexpr std::size_t kMostShown = 60;
  return std::visit(
      [](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_arithmetic_v<T>) {
          return fmt::format("{}", held);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return fmt::format("'{}'", base::escape_controls(held.substr(0, kMostShown)));
        } else {
          return fmt::format("a list of {} values", held.size());
        }
      },
      value);
}

[[noreturn]] void reject_value(const GgufKeys& keys, std::string_view key, const gguf::Value& value,
                               std::string_view expected) {
  keys.reject(fmt::format("{} is {}, expected {}", base::escape_controls(key), shown_value(value),
                          expected));
}

/// A scalar number but no truth value.
std::optional<double> number_in(const gguf::Value& value) {
  return std::visit(
      [](const auto& held) -> std::optional<double> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
          return static_cast<double>(held);
        } else {
          return std::nullopt;
        }
      },
      value);
}

}  // namespace

std::optional<std::int64_t> GgufKeys::whole(std::string_view key, std::int64_t lowest,
                                            std::int64_t highest) const {
  const gguf::Value* const value = metadata_.find(key);
  if (value == nullptr) return std::nullopt;
  const double number = number_in(*value).value_or(std::nan(""));
  if (!(number >= static_cast<double>(lowest) && number <= static_cast<double>(highest)) ||
      number != std::floor(number)) {
    reject_value(*this, key, *value, fmt::format("a whole number from {} to {}", lowest, highest));
  }
  return static_cast<std::int64_t>(number);
}

std::int64_t GgufKeys::required(std::string_view key, std::int64_t lowest,
                                std::int64_t highest) const {
  const std::optional<std::int64_t> value = whole(key, lowest, highest);
  if (!value) miss(key);
  return *value;
}

std::optional<double> GgufKeys::real(std::string_view key) const {
  const gguf::Value* const value = metadata_.find(key);
  if (value == nullptr) return std::nullopt;
  const std::optional<double> number = number_in(*value);
  if (!number || !std::isfinite(*number)) reject_value(*this, key, *value, "a number");
  return number;
}

std::optional<double> GgufKeys::positive(std::string_view key) const {
  const std::optional<double> number = real(key);
  if (number && *number <= 0) {
    reject_value(*this, key, *metadata_.find(key), "a number above 0");
  }
  return number;
}

template <class T>
const T* GgufKeys::get(std::string_view key, std::string_view expected) const {
  const gguf::Value* const value = metadata_.find(key);
  if (value == nullptr) return nullptr;
  const T* const held = std::get_if<T>(value);
  if (held == nullptr) reject_value(*this, key, *value, expected);
  return held;
}

std::optional<bool> GgufKeys::flag(std::string_view key) const {
  const bool* const held = get<bool>(key, "true or false");
  return held == nullptr ? std::nullopt : std::optional(*held);
}

std::optional<std::string> GgufKeys::text(std::string_view key) const {
  const std::string* const held = get<std::string>(key, "a text");
  return held == nullptr ? std::nullopt : std::optional(*held);
}

const std::vector<std::string>* GgufKeys::texts(std::string_view key) const {
  return get<std::vector<std::string>>(key, "a list of texts");
}

const std::vector<float>* GgufKeys::reals(std::string_view key) const {
  return get<std::vector<float>>(key, "a list of float32 numbers");
}

const std::vector<std::int32_t>* GgufKeys::integers(std::string_view key) const {
  return get<std::vector<std::int32_t>>(key, "a list of 32-bit whole numbers");
}

const std::vector<bool>* GgufKeys::flags(std::string_view key) const {
  return get<std::vector<bool>>(key, "a list of truth values");
}

void GgufKeys::miss(std::string_view key) const {
  reject(fmt::format("its metadata lack {}", base::escape_controls(key)));
}

void GgufKeys::reject(std::string why) const {
  throw base::ValidationError(fmt::format("cannot use the model {}", base::shown(file_)),
                              std::move(why),
                              "get the file from its source again, or convert the model again");
}

void GgufKeys::refuse(std::string why) const {
  throw base::UnsupportedError(fmt::format("cannot run the model {}", base::shown(file_)),
                               std::move(why), "use a dense text model of a family that lq knows");
}

}  // namespace lq::subject
