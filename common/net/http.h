#pragma once
// One HTTP request after another through libcurl. Redirects are not followed here: redirect.h does
// that by the project's own rule.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/net/byte_ranges.h"
#include "common/net/url.h"

namespace lq::net {

struct HttpSettings {
  std::string user_agent;
  std::filesystem::path ca_file, ca_dir;  // empty = the system's certificates
  double connect_seconds = 10;
  double stall_seconds = 30;    // under 1 KiB/s for that long
  std::string http_proxy = {};  // for http addresses, before the variables that libcurl reads
  /// Polled every tenth of a second; true ends the transfer with Stopped.
  std::function<bool()> stop = {};
  /// Request and answer lines for debugging; never a query, a token or a cookie.
  std::function<void(const std::string&)> trace = {};
};

struct HttpRequest {
  Url url;
  const std::string* bearer = nullptr;  // sent as Authorization where there is one
  std::optional<Extent> range = {};     // not empty
  double total_seconds = 0;             // of the whole call; 0 = no limit
};

struct HttpHead {
  long status = 0;
  std::map<std::string, std::string> headers;  // names in lower case; the last of equal ones

  /// Empty where there is none.
  std::string header(const std::string& name) const;
};

/// Why an answer with status 206 does not hold exactly these bytes of a file of that size; empty
/// when it does.
std::string range_problem(const HttpHead& head, Extent range, std::uint64_t size);

/// Takes the body as it comes.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// A redirect on the way to the answer: whether it came from the endpoint, and leads there.
  virtual void redirected(const HttpHead& /*hop*/, bool /*from_endpoint*/, bool /*to_endpoint*/) {}
  /// Before the first byte of the body. False: the body is not wanted. May throw, as data().
  virtual bool begin(const HttpHead& head) = 0;
  /// False: that was enough. May throw: the transfer ends and get() throws that.
  virtual bool data(std::span<const std::byte> bytes) = 0;
};

enum class TransportFailure {
  kResolve,      // no such host, or no name server
  kConnect,      // refused, unreachable
  kCertificate,  // not trusted: trying again does not help
  kTls,
  kStalled,  // no answer in time, or too slow
  kBroken,   // reset, ended early, not HTTP
  kProxy,
  kRedirect,  // one that is refused
};

/// No complete answer. Not for people: the caller knows what was being done and throws a
/// NetworkError.
class TransportError : public std::exception {
 public:
  TransportError(TransportFailure failure, std::string text)
      : failure_(failure), text_(std::move(text)) {}
  TransportFailure failure() const { return failure_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  TransportFailure failure_;
  std::string text_;
};

/// `stop` asked for an end.
class Stopped : public std::exception {
 public:
  const char* what() const noexcept override { return "stopped"; }
};

/// A connection that is kept for the next request. Thread rule: one thread at a time.
class HttpConnection {
 public:
  explicit HttpConnection(HttpSettings settings);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Throws TransportError, Stopped, and what the sink throws. A body that is shorter than its
  /// announced length, or that comes with a Content-Encoding, is kBroken.
  HttpHead get(const HttpRequest& request, BodySink& sink);

 private:
  struct Handles;
  void configure(const HttpRequest& request);
  int transfer();  // returns libcurl's code
  std::string trusted() const;

  std::unique_ptr<Handles> handles_;
  HttpSettings settings_;
};

}  // namespace lq::net
