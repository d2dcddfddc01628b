#pragma once
// The list of tokens of a vocabulary while it is put together: entries come from several files and
// later ones replace earlier ones; ids that no file names stay padding.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/text/vocabulary.h"

namespace lq::text {

class TokenTable {
 public:
  /// Entries [PADn] of type kUnused. `file` is named in errors.
  TokenTable(std::int64_t vocab_size, bool with_scores, std::filesystem::path file);

  /// A token of the vocabulary itself. Throws ValidationError when `id` is not below the
  /// vocabulary's size or taken.
  void set(std::int64_t id, std::string text, TokenType type, float score = 0);

  /// A token added to it, kept as plain text. It is a control token when it is special or looks
  /// like one, else user defined. Throws ValidationError when `id` is not below the vocabulary's
  /// size.
  void add(std::int64_t id, const std::string& text, bool special);

  bool holds(std::int64_t id) const {
    return id >= 0 && static_cast<std::uint64_t>(id) < tokens_.size();
  }
  /// Id of a text, added tokens first; -1 for none.
  std::int64_t find(std::string_view text) const;
  /// Id of an added token or of one that is no text (control, user defined); -1 for none.
  std::int64_t find_added(std::string_view text) const;
  bool taken(std::int64_t id) const {
    return types_[static_cast<std::size_t>(id)] != TokenType::kUnused;
  }

  /// Throws ValidationError when two ids have the same text, which the runtime does not survive.
  void move_to(Vocabulary& vocabulary);

 private:
  [[noreturn]] void reject(const std::string& why) const;

  std::filesystem::path file_;
  bool with_scores_;
  std::vector<std::string> tokens_;
  std::vector<TokenType> types_;
  std::vector<float> scores_;
  std::unordered_map<std::string, std::int64_t> added_;  // by the text as the files have it
};

/// Texts that runtimes treat as control tokens though some files do not mark them: <pad>, <|...|>,
/// <unused12> ...
bool looks_special(std::string_view text);

}  // namespace lq::text
