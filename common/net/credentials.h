#pragma once
// The access token: where it comes from, and that it goes nowhere else.

#include <optional>
#include <string>

#include "common/base/environment.h"
#include "common/net/hub_settings.h"

namespace lq::net {

/// A text from outside as a message may show it, should it repeat the secret.
std::string redacted(std::string text, const std::string& secret);

/// A token in memory, overwritten when it is no longer needed. Nothing prints it.
class Token {
 public:
  Token() = default;
  /// `origin` says where it comes from, for messages: "the variable HF_TOKEN".
  Token(std::string secret, std::string origin);
  ~Token();
  Token(Token&& other) noexcept;
  Token& operator=(Token&& other) noexcept;
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  bool empty() const { return secret_.empty(); }
  const std::string& secret() const { return secret_; }
  const std::string& origin() const { return origin_; }
  /// "it expired on 2026-01-31" where that is known and past; else empty.
  const std::string& expiry_note() const { return expiry_note_; }
  void set_expiry_note(std::string note) { expiry_note_ = std::move(note); }

 private:
  std::string secret_, origin_, expiry_note_;
};

struct TokenWishes {
  std::string file;   // --token-file; "-" is standard input
  std::string name;   // --token-name: a section of stored_tokens
  bool none = false;  // --no-token
};

/// The first there is of: the wishes, HF_TOKEN, HUGGING_FACE_HUB_TOKEN, the token file; empty where
/// there is none. Throws UsageError: a control character in the token, wishes that contradict;
/// ModelNotFoundError: a file or section that was asked for is not there. `now`: Unix seconds.
Token find_token(const TokenWishes& wishes, const HubSettings& settings,
                 const base::Environment& environment, double now);

}  // namespace lq::net
