#include "common/net/redirect.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"

namespace lq::net {
namespace {

constexpr std::size_t kMostHops = 10;

bool is_redirect(const HttpHead& head) {
  return head.status == 301 || head.status == 302 || head.status == 303 || head.status == 307 ||
         head.status == 308;
}

/// Keeps the body of a redirect from the caller.
class LastBody : public BodySink {
 public:
  explicit LastBody(BodySink& sink) : sink_(sink) {}
  bool begin(const HttpHead& head) override { return !is_redirect(head) && sink_.begin(head); }
  bool data(std::span<const std::byte> bytes) override { return sink_.data(bytes); }

 private:
  BodySink& sink_;
};

[[noreturn]] void refuse(const Url& from, const std::string& why) {
  throw TransportError(TransportFailure::kRedirect,
                       fmt::format("{} redirects {}", from.shown(), why));
}

bool may_see_token(const Endpoint& endpoint, const Origin& origin) {
  return origin == endpoint.url.origin();
}

}  // namespace

bool is_hub(const Origin& origin) {
  return origin.scheme == "https" && (origin.host == "huggingface.co" || origin.host == "hf.co") &&
         origin.port == "443";
}

std::vector<const HttpHead*> Answer::heads() const {
  std::vector<const HttpHead*> all;
  for (const HttpHead& hop : hops) all.push_back(&hop);
  all.push_back(&head);
  return all;
}

Answer follow(HttpConnection& connection, const Endpoint& endpoint, HttpRequest request,
              BodySink& sink) {
  LastBody last(sink);
  std::vector<HttpHead> hops;
  std::vector<std::string> seen;
  bool trusted = true;
  for (;;) {
    trusted = trusted && may_see_token(endpoint, request.url.origin());
    if (!trusted) request.bearer = nullptr;
    HttpHead head = connection.get(request, last);
    if (!is_redirect(head)) return {std::move(head), request.url, trusted, std::move(hops)};
    seen.push_back(request.url.text());
    const std::string location = head.header("location");
    const std::optional<Url> next = request.url.resolve(location);
    if (!next) {
      refuse(request.url, location.empty() ? "without saying where"
                                           : "to an address that is not used: " +
                                                 base::without_secrets(location));
    }
    if (request.url.is_https() && !next->is_https()) refuse(request.url, "from https to http");
    if (std::ranges::find(seen, next->text()) != seen.end()) refuse(request.url, "in a circle");
    if (seen.size() > kMostHops) refuse(request.url, fmt::format("more than {} times", kMostHops));
    sink.redirected(head, trusted, trusted && may_see_token(endpoint, next->origin()));
    hops.push_back(std::move(head));
    request.url = *next;
  }
}

}  // namespace lq::net
