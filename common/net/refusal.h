#pragma once
// What the Hub says when it does not give a file, turned into the error a user sees.

#include <string>

#include "common/net/credentials.h"
#include "common/net/redirect.h"

namespace lq::net {

/// What was asked for, for messages.
struct Asked {
  std::string what;      // "cannot download x of org/name"
  std::string id;        // of the repository
  std::string revision;  // branch, tag or commit
  std::string path;      // of a file, or empty
  std::string endpoint;
  const Token* token = nullptr;
};

/// Why an answer that is no success is no success: "the licence has not been accepted (401
/// GatedRepo, request Root=1-66)".
std::string reason_of(const Answer& answer);

/// Whether an answer from the endpoint that is no success will not pass either: the reason that it
/// names decides, whatever the status, and else the status.
bool is_refusal(const Answer& answer);

/// Throws the error for such an answer: ModelNotFoundError, AuthenticationError or NetworkError.
[[noreturn]] void throw_refusal(const Answer& answer, const Asked& asked);

}  // namespace lq::net
