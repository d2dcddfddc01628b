#pragma once
// A request followed to its end: which redirects are taken, and who sees the token.

#include <string>
#include <vector>

#include "common/net/http.h"

namespace lq::net {

/// Where a token may go.
struct Endpoint {
  Url url;
  bool is_mirror = false;  // not the Hub itself, whose own addresses then stand for its
};

/// Whether an origin is the Hub itself, under either of its names.
bool is_hub(const Origin& origin);

struct Answer {
  HttpHead head;               // of the last answer
  Url url;                     // that gave it
  bool at_endpoint = true;     // whether that address has seen the token, where there is one
  std::vector<HttpHead> hops;  // the redirects before it, first to last

  /// Of the hops and of the answer.
  std::vector<const HttpHead*> heads() const;
};

/// Sends the request and follows at most 10 redirects. The token goes to the endpoint's own origin
/// (scheme, host and port) alone and, once left out, is not sent again in that chain. `sink` sees
/// only the last answer. Throws TransportError (kRedirect) for a redirect that is refused: from
/// https to http, to another scheme, with user and password, in a loop; and as HttpConnection::get.
Answer follow(HttpConnection& connection, const Endpoint& endpoint, HttpRequest request,
              BodySink& sink);

}  // namespace lq::net
