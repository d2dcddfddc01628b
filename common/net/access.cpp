#include "common/net/access.h"

#include <algorithm>
#include <mutex>
#include <set>

namespace lq::net {
namespace {

/// The Hub repeats its warnings with every answer.
class Topics {
 public:
  bool is_new(const std::string& topic) {
    const std::lock_guard lock(mutex_);
    return seen_.insert(topic).second;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> seen_;
};

}  // namespace

std::string HubAccess::shown_endpoint() const {
  std::string text = endpoint.url.shown();
  while (text.ends_with('/')) text.pop_back();
  return text;
}

HubAccess hub_access(const HubSettings& settings, Token token, const base::Environment& environment,
                     std::string user_agent) {
  const Url endpoint = *Url::parse(settings.endpoint);
  HubAccess access{.endpoint = {endpoint, !is_hub(endpoint.origin())},
                   .token = std::move(token),
                   .http = {},
                   .patience = {},
                   .api_seconds = settings.api_timeout_seconds};
  access.http.user_agent = std::move(user_agent);
  access.http.ca_file = settings.ca_file;
  access.http.ca_dir = settings.ca_dir;
  access.http.stall_seconds =
      std::max(access.http.stall_seconds, settings.download_timeout_seconds);
  // In a CGI program the variable would come from the client's request.
  if (environment.get("http_proxy").empty() && environment.get("REQUEST_METHOD").empty()) {
    access.http.http_proxy = environment.get("HTTP_PROXY");
  }
  return access;
}

void listen(HubAccess& access, const Listener& listener) {
  access.http.stop = access.patience.stop = listener.stop;
  access.http.trace = listener.detail;
  access.patience.announce = [message = listener.message](const std::string& why, double seconds) {
    message(waiting_text(why, seconds));
  };
  access.warn = [warning = listener.warning, topics = std::make_shared<Topics>()](
                    const std::string& topic, const std::string& text) {
    if (topics->is_new(topic)) warning("the Hub warns", text);
  };
}

}  // namespace lq::net
