#include "common/net/refusal.h"

#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/net/retry.h"

namespace lq::net {
namespace {

// Reasons that the Hub gives in X-Error-Code.
constexpr const char* kRepoNotFound = "RepoNotFound";
constexpr const char* kRevisionNotFound = "RevisionNotFound";
constexpr const char* kEntryNotFound = "EntryNotFound";
constexpr const char* kGatedRepo = "GatedRepo";

std::string request_id(const HttpHead& head) {
  for (const char* const name : {"x-request-id", "x-amzn-trace-id", "x-amz-cf-id"}) {
    const std::string id = head.header(name);
    if (!id.empty()) return ", request " + base::escape_controls(id);
  }
  return "";
}

std::string token_note(const Asked& asked) {
  if (asked.token == nullptr || asked.token->empty()) return "no token was sent";
  return fmt::format("the token of {} was sent", asked.token->origin());
}

constexpr const char* kLogIn = "set HF_TOKEN, or run: hf auth login";

[[noreturn]] void throw_repo_not_found(const std::string& why, const Asked& asked) {
  throw base::ModelNotFoundError(asked.what,
                                 fmt::format("{} has no repository {} that it shows to you{}; {}",
                                             asked.endpoint, asked.id, why, token_note(asked)),
                                 fmt::format("check the spelling; if it is private, {}", kLogIn));
}

[[noreturn]] void throw_gated(const std::string& why, const Asked& asked) {
  const bool sent = asked.token != nullptr && !asked.token->empty();
  throw base::AuthenticationError(
      asked.what,
      fmt::format("the repository is gated and its terms have not been accepted{}; {}", why,
                  token_note(asked)),
      fmt::format("open {}/{} and accept the terms{}{}", asked.endpoint, asked.id,
                  sent ? " with the account of that token; a fine-grained token must allow gated "
                         "repositories"
                       : ", then ",
                  sent ? "" : kLogIn));
}

[[noreturn]] void throw_bad_token(const std::string& why, const Asked& asked) {
  const std::string note =
      asked.token->expiry_note().empty() ? "" : " (" + asked.token->expiry_note() + ")";
  throw base::AuthenticationError(
      asked.what,
      fmt::format("the server does not accept the token of {}{}{}", asked.token->origin(), note,
                  why),
      "renew it with: hf auth login; for a public repository, HF_HUB_DISABLE_IMPLICIT_TOKEN=1 does "
      "without");
}

}  // namespace

bool is_refusal(const Answer& answer) {
  const std::string code = answer.head.header("x-error-code");
  return code == kRepoNotFound || code == kRevisionNotFound || code == kEntryNotFound ||
         code == kGatedRepo || !is_transient(answer.head.status);
}

std::string reason_of(const Answer& answer) {
  const std::string code = answer.head.header("x-error-code");
  const std::string message = answer.head.header("x-error-message");
  std::string text = fmt::format("{}", answer.head.status);
  if (!code.empty()) text += " " + base::escape_controls(code);
  text += request_id(answer.head);
  return message.empty() ? fmt::format("status {}", text)
                         : fmt::format("{} ({})", base::escape_controls(message), text);
}

void throw_refusal(const Answer& answer, const Asked& asked) {
  const std::string code = answer.head.header("x-error-code");
  const std::string message = answer.head.header("x-error-message");
  const bool token_sent = asked.token != nullptr && !asked.token->empty();
  const std::string why = ": " + reason_of(answer);
  const long status = answer.head.status;
  if (code == kRepoNotFound) throw_repo_not_found(why, asked);
  if (code == kRevisionNotFound) {
    throw base::ModelNotFoundError(asked.what,
                                   fmt::format("{} has no revision {}{}", asked.id,
                                               base::escape_controls(asked.revision), why),
                                   "choose another one after the @");
  }
  if (code == kEntryNotFound) {
    throw base::ModelNotFoundError(
        asked.what,
        fmt::format("{} is not in {} at {}{}", base::escape_controls(asked.path), asked.id,
                    base::escape_controls(asked.revision), why),
        "lq-fetch " + asked.id + " --list shows what is there");
  }
  if (code == kGatedRepo) throw_gated(why, asked);
  if (message.find("Access to this resource is disabled") != std::string::npos) {
    throw base::AuthenticationError(asked.what,
                                    "the repository was disabled by its owner or the Hub" + why,
                                    "nothing helps here: look for a copy of the model elsewhere");
  }
  const bool bad_credentials = message.find("Invalid credentials") != std::string::npos;
  if (status == 401 && token_sent) throw_bad_token(why, asked);
  if (status == 401 && bad_credentials) throw_gated(why, asked);
  if (status == 401 || status == 404) throw_repo_not_found(why, asked);
  if (status == 403) {
    throw base::AuthenticationError(
        asked.what, fmt::format("access is refused{}; {}", why, token_note(asked)),
        token_sent ? "give the token the scope to read this repository (and gated ones, if it is "
                     "gated)"
                   : kLogIn);
  }
  throw base::NetworkError(
      asked.what, fmt::format("{} answered with {}", answer.url.shown(), reason_of(answer)),
      "check HF_ENDPOINT and the proxy, or try again later");
}

}  // namespace lq::net
