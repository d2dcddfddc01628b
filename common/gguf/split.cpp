#include "common/gguf/split.h"

#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/gguf/format.h"

namespace lq::gguf {
namespace {

constexpr std::string_view kSuffix = ".gguf";

std::string part_suffix(std::size_t part, std::size_t n_parts) {
  return fmt::format("-{:05}-of-{:05}{}", part + 1, n_parts, kSuffix);
}

}  // namespace

std::string split_name(const std::string& stem, std::size_t part, std::size_t n_parts) {
  std::string_view prefix = stem;
  if (prefix.ends_with(kSuffix)) prefix.remove_suffix(kSuffix.size());
  return fmt::format("{}{}", prefix, part_suffix(part, n_parts));
}

std::optional<SplitKeys> split_keys(const Metadata& metadata, const std::string& subject) {
  const auto fail = [&](const std::string& why) {
    throw base::ValidationError(subject, why, "fetch all parts of the model again");
  };
  if (metadata.find(kSplitCountKey) == nullptr) return std::nullopt;
  const auto* count = metadata.get<std::uint16_t>(kSplitCountKey);
  const auto* number = metadata.get<std::uint16_t>(kSplitNumberKey);
  const auto* n_tensors = metadata.get<std::int32_t>(kSplitTensorsKey);
  if (count == nullptr) fail(fmt::format("{} is not of type uint16", kSplitCountKey));
  // 0 and 1 are what single files carry.
  if (*count <= 1) return std::nullopt;
  if (number == nullptr) fail(fmt::format("{} is missing or not of type uint16", kSplitNumberKey));
  if (n_tensors == nullptr)
    fail(fmt::format("{} is missing or not of type int32", kSplitTensorsKey));
  if (*number >= *count) {
    fail(fmt::format("{} is {}, but {} is {}", kSplitNumberKey, *number, kSplitCountKey, *count));
  }
  return SplitKeys{*number, *count, *n_tensors};
}

void set_split_keys(Metadata& metadata, const SplitKeys& keys) {
  metadata.set(std::string(kSplitNumberKey), keys.number);
  metadata.set(std::string(kSplitCountKey), keys.count);
  metadata.set(std::string(kSplitTensorsKey), keys.n_tensors);
}

std::optional<std::string> split_stem(std::string_view file_name, const SplitKeys& keys) {
  const std::string suffix = part_suffix(keys.number, keys.count);
  if (!file_name.ends_with(suffix) || file_name.size() == suffix.size()) return std::nullopt;
  file_name.remove_suffix(suffix.size());
  return std::string(file_name);
}

}  // namespace lq::gguf
