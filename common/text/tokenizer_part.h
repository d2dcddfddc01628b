#pragma once
// One object of tokenizer.json (a normalizer, a pre-tokenizer, a model ...) on the way to what it
// stands for: typed access to its members, and errors that name the file.

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace lq::text {

/// A view: the JSON and the path must outlive it.
class TokenizerPart {
 public:
  /// `role` is what messages call it: "normalizer".
  TokenizerPart(const nlohmann::json& value, const std::filesystem::path& file,
                std::string_view role, std::size_t depth = 0);

  const nlohmann::json& value() const { return value_; }
  const std::filesystem::path& file() const { return file_; }
  bool is_null() const { return value_.is_null(); }
  /// Its "type". Throws ValidationError when it has none.
  const std::string& type() const;

  /// Members. A member that is absent or null has the value of `absent`; one of another JSON type
  /// is a ValidationError.
  bool flag(std::string_view key, bool absent) const;
  std::string text(std::string_view key) const;  // required
  std::string text(std::string_view key, std::string_view absent) const;
  std::string character(std::string_view key, std::string_view absent) const;  // one code point
  std::size_t count(std::string_view key) const;                               // required
  /// A list of objects of the same role, as a Sequence has it. Throws ValidationError, also where
  /// lists stand too deep in each other.
  std::vector<TokenizerPart> parts(std::string_view key) const;

  /// The file is broken.
  [[noreturn]] void reject(std::string_view why) const;
  /// The file is sound, but this is not implemented.
  [[noreturn]] void refuse(std::string_view why) const;
  /// Its "type" is none of those known.
  [[noreturn]] void refuse_type() const;

 private:
  const nlohmann::json& value_;
  const std::filesystem::path& file_;
  std::string_view role_;
  std::size_t depth_;
};

}  // namespace lq::text
