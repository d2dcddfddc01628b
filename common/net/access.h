#pragma once
// Who asks which Hub, and how: what all connections of a run share.

#include <functional>
#include <memory>
#include <string>

#include "common/base/environment.h"
#include "common/net/credentials.h"
#include "common/net/hub_settings.h"
#include "common/net/pace.h"
#include "common/net/redirect.h"
#include "common/net/retry.h"

namespace lq::net {

/// Everything that requests need, shared by all connections of a run.
struct HubAccess {
  Endpoint endpoint;
  Token token;
  HttpSettings http;
  Patience patience;
  double api_seconds = 0;  // of a whole API call
  /// X-HF-Warning of any answer, the same ones again and again; called from any thread.
  std::function<void(const std::string& topic, const std::string& text)> warn = {};
  /// The Hub counts calls of its API and requests for files apart.
  std::shared_ptr<RequestPace> api_pace = std::make_shared<RequestPace>();
  std::shared_ptr<RequestPace> file_pace = std::make_shared<RequestPace>();

  std::string shown_endpoint() const;  // without trailing slash
};

/// As the environment says it; what reports and stops is left to the caller. `user_agent`:
/// "lq-fetch/1.2.3".
HubAccess hub_access(const HubSettings& settings, Token token, const base::Environment& environment,
                     std::string user_agent);

/// Who hears what happens on the connections; called from any thread, one call at a time is up to
/// it.
struct Listener {
  std::function<void(const std::string&text)> message, detail;
  std::function<void(const std::string& what, const std::string& why)> warning;
  std::function<bool()> stop;  // polled
};
/// Waits become messages, each topic that the Hub warns of one warning, requests details.
void listen(HubAccess& access, const Listener& listener);

}  // namespace lq::net
