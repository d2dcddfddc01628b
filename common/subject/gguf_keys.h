#pragma once
// The metadata of a GGUF, read key by key: values of the wrong kind are named with their key.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/gguf/metadata.h"

namespace lq::subject {

/// All readers throw ValidationError for a value of the wrong kind. Which of its types a file keeps a
/// whole number in does not matter.
class GgufKeys {
 public:
  /// `metadata` is referred to; `file` is named in messages.
  GgufKeys(const gguf::Metadata& metadata, std::filesystem::path file)
      : metadata_(metadata), file_(std::move(file)) {}

  std::optional<std::int64_t> whole(std::string_view key, std::int64_t lowest = 1,
                                    std::int64_t highest = kMaxNumber) const;
  /// The same, of a key that must be there.
  std::int64_t required(std::string_view key, std::int64_t lowest = 1,
                        std::int64_t highest = kMaxNumber) const;
  /// A finite number.
  std::optional<double> real(std::string_view key) const;
  std::optional<double> positive(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  /// nullptr where the key is not there.
  const std::vector<std::string>* texts(std::string_view key) const;
  const std::vector<float>* reals(std::string_view key) const;
  const std::vector<std::int32_t>* integers(std::string_view key) const;
  const std::vector<bool>* flags(std::string_view key) const;

  /// Throws ValidationError: the key is not there.
  [[noreturn]] void miss(std::string_view key) const;
  /// Throws ValidationError for any other reason.
  [[noreturn]] void reject(std::string why) const;
  /// Throws UnsupportedError: the file is sound, and this is not run.
  [[noreturn]] void refuse(std::string why) const;

  const std::filesystem::path& file() const { return file_; }

  static constexpr std::int64_t kMaxNumber = std::numeric_limits<std::int32_t>::max();

 private:
  template <class T>
  const T* get(std::string_view key, std::string_view expected) const;

  const gguf::Metadata& metadata_;
  std::filesystem::path file_;
};

}  // namespace lq::subject
