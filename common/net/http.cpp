#include "common/net/http.h"

#include <array>
#include <curl/curl.h>
#include <exception>
#include <fmt/format.h>
#include <new>
#include <openssl/crypto.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/net/credentials.h"

namespace lq::net {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr long kBufferBytes = 512L * 1024;
constexpr long kStallBytesPerSecond = 1024;
constexpr std::size_t kMostHeaderBytes = std::size_t{256} << 10;
// A body that nobody wants is read to its end up to this: a new connection would cost more.
constexpr std::size_t kMostSwallowedBytes = std::size_t{64} << 10;

void require_libcurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code == CURLE_OK) return;
  throw base::NetworkError("cannot use the network", curl_easy_strerror(code),
                           "reinstall libcurl and its TLS library");
}

/// Request headers; the one with the token is overwritten before its memory is given back.
class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList() {
    for (curl_slist* line = list_; line != nullptr; line = line->next) {
      OPENSSL_cleanse(line->data, std::char_traits<char>::length(line->data));
    }
    curl_slist_free_all(list_);
  }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  void add(const std::string& line) {
    curl_slist* const longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  /// Leaves no copy of the value but its own.
  void add_secret(const std::string& name, const std::string& value) {
    std::string line;
    line.reserve(name.size() + value.size());
    line += name;
    line += value;
    add(line);
    OPENSSL_cleanse(line.data(), line.size());
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

TransportFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return TransportFailure::kResolve;
    case CURLE_COULDNT_RESOLVE_PROXY:
      return TransportFailure::kProxy;
    case CURLE_COULDNT_CONNECT:
      return TransportFailure::kConnect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return TransportFailure::kCertificate;
    case CURLE_SSL_CONNECT_ERROR:
      return TransportFailure::kTls;
    case CURLE_OPERATION_TIMEDOUT:
      return TransportFailure::kStalled;
    default:
      return TransportFailure::kBroken;
  }
}

/// libcurl quotes a proxy's address with its password, and takes long headers for a lack of memory.
std::string public_text(CURLcode code, const std::string& text) {
  if (code == CURLE_OUT_OF_MEMORY) {
    return "the answer has a header that is too long";
  }
  if (base::to_lower(text).find("proxy") == std::string::npos) return text;
  return "the proxy that http_proxy, https_proxy or ALL_PROXY name cannot be used";
}

/// As HTTP writes it: first and last byte.
std::string text_of(Extent range) { return fmt::format("{}-{}", range.begin, range.end - 1); }

template <class Value>
void set_option(CURL* easy, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(easy, option, value);
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLE_OK) throw TransportError(TransportFailure::kTls, curl_easy_strerror(code));
}

/// One answer as it comes in.
class IncomingAnswer {
 public:
  /// `secret`: the token that was sent, or nullptr.
  IncomingAnswer(CURL* easy, BodySink& sink, const std::string* secret)
      : easy_(easy), sink_(sink), secret_(secret) {}

  static std::size_t on_header(char* text, std::size_t size, std::size_t n, void* self) {
    return static_cast<IncomingAnswer*>(self)->take_header({text, size * n}) ? size * n : 0;
  }
  static std::size_t on_data(char* bytes, std::size_t size, std::size_t n, void* self) {
    const bool taken =
        static_cast<IncomingAnswer*>(self)->data(std::as_bytes(std::span(bytes, size * n)));
    return taken ? size * n : CURL_WRITEFUNC_ERROR;
  }

  /// The end of a complete answer: one without a body has not begun yet.
  void finish() {
    if (!begun_) begin();
  }
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }
  /// Whether the rest of the body does not matter.
  bool is_over() const { return unwanted_ || enough_; }
  bool encoded() const { return encoded_; }
  HttpHead& head() { return head_; }

 private:
  bool take_header(std::string_view line) {
    try {
      header_bytes_ += line.size();
      if (header_bytes_ > kMostHeaderBytes) {
        throw TransportError(TransportFailure::kBroken, "the answer's headers do not end");
      }
      header(line);
      return true;
    } catch (...) {  // not through libcurl's frames
      thrown_ = std::current_exception();
      return false;
    }
  }

  void header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // the answer's own, after that of a proxy or 100 Continue
      head_ = {};
      return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string name = base::to_lower(line.substr(0, colon));
    std::string& value = head_.headers[name];
    const bool joined = name == "link" && !value.empty();  // a list, which may come in parts
    value =
        (joined ? value + ", " : "") + public_value(name, base::trimmed(line.substr(colon + 1)));
  }

  /// Headers end up in messages: what a server repeats of a secret goes no further.
  std::string public_value(const std::string& name, std::string_view value) const {
    const bool is_address = name == "location" || name == "link";
    const std::string text = is_address ? std::string(value) : base::without_queries(value);
    return secret_ == nullptr ? text : redacted(text, *secret_);
  }

  void begin() {
    begun_ = true;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &head_.status);
    const std::string coding = base::to_lower(head_.header("content-encoding"));
    encoded_ = !coding.empty() && coding != "identity";
    unwanted_ = !encoded_ && !sink_.begin(head_);
  }

  bool data(std::span<const std::byte> bytes) {
    try {
      if (!begun_) begin();
      if (encoded_) return false;
      if (unwanted_) {
        swallowed_ += bytes.size();
        return swallowed_ <= kMostSwallowedBytes;
      }
      enough_ = !sink_.data(bytes);
      return !enough_;
    } catch (...) {  // not through libcurl's frames
      thrown_ = std::current_exception();
      return false;
    }
  }

  CURL* const easy_;
  BodySink& sink_;
  const std::string* const secret_;
  HttpHead head_;
  std::exception_ptr thrown_;
  std::size_t header_bytes_ = 0, swallowed_ = 0;
  bool begun_ = false, unwanted_ = false, encoded_ = false, enough_ = false;
};

}  // namespace

std::string HttpHead::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

std::string range_problem(const HttpHead& head, Extent range, std::uint64_t size) {
  const std::string given = head.header("content-range");
  const std::string wanted = fmt::format("bytes {}/{}", text_of(range), size);
  if (given == wanted) return "";
  return fmt::format("asked for {}, it answered with {}", wanted, base::escape_controls(given));
}

struct HttpConnection::Handles {
  CURLM* multi = curl_multi_init();  // has the connections
  CURL* easy = nullptr;              // of one request: after a failed lookup it takes no settings
  std::array<char, CURL_ERROR_SIZE> error = {};

  Handles() {
    if (multi == nullptr) throw std::bad_alloc();
  }
  void renew() {
    curl_easy_cleanup(easy);
    easy = curl_easy_init();
    if (easy == nullptr) throw std::bad_alloc();
    error[0] = '\0';
  }
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
};

HttpConnection::HttpConnection(HttpSettings settings) : settings_(std::move(settings)) {
  require_libcurl();
  handles_ = std::make_unique<Handles>();
}

HttpConnection::~HttpConnection() = default;

/// What does not depend on who takes the answer. libcurl keeps copies of the texts.
void HttpConnection::configure(const HttpRequest& request) {
  handles_->renew();
  CURL* const easy = handles_->easy;
  set_option(easy, CURLOPT_URL, request.url.text().c_str());
  set_option(easy, CURLOPT_USERAGENT, settings_.user_agent.c_str());
  set_option(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set_option(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set_option(easy, CURLOPT_NOSIGNAL, 1L);
  set_option(easy, CURLOPT_ERRORBUFFER, handles_->error.data());
  set_option(easy, CURLOPT_BUFFERSIZE, kBufferBytes);
  set_option(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(1000 * settings_.connect_seconds));
  set_option(easy, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  set_option(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings_.stall_seconds));
  if (request.total_seconds > 0) {
    set_option(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(1000 * request.total_seconds));
  }
  if (!settings_.ca_file.empty() || !settings_.ca_dir.empty()) {  // in place of the system's
    const auto or_null = [](const std::filesystem::path& path) {
      return path.empty() ? nullptr : path.c_str();
    };
    set_option(easy, CURLOPT_CAINFO, or_null(settings_.ca_file));
    set_option(easy, CURLOPT_CAPATH, or_null(settings_.ca_dir));
  }
  if (!settings_.http_proxy.empty() && !request.url.is_https()) {
    set_option(easy, CURLOPT_PROXY, settings_.http_proxy.c_str());
  }
  if (request.range) set_option(easy, CURLOPT_RANGE, text_of(*request.range).c_str());
}

std::string HttpConnection::trusted() const {
  const std::filesystem::path& place =
      settings_.ca_file.empty() ? settings_.ca_dir : settings_.ca_file;
  return fmt::format(" (trusted are the authorities of {})",
                     place.empty() ? "the system" : base::shown(place));
}

/// Transfers until the end or a stop.
int HttpConnection::transfer() {
  curl_multi_add_handle(handles_->multi, handles_->easy);
  bool stopped = false;
  for (int running = 1; running > 0 && !stopped;) {
    const CURLMcode code = curl_multi_perform(handles_->multi, &running);
    if (code == CURLM_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLM_OK)
      throw TransportError(TransportFailure::kBroken, curl_multi_strerror(code));
    stopped = settings_.stop && settings_.stop();
    if (running > 0 && !stopped) {
      curl_multi_poll(handles_->multi, nullptr, 0, kPollMilliseconds, nullptr);
    }
  }
  CURLcode code = stopped ? CURLE_ABORTED_BY_CALLBACK : CURLE_RECV_ERROR;
  int queued = 0;
  const CURLMsg* const message = curl_multi_info_read(handles_->multi, &queued);
  if (message != nullptr && !stopped) code = message->data.result;
  curl_multi_remove_handle(handles_->multi, handles_->easy);
  return code;
}

HttpHead HttpConnection::get(const HttpRequest& request, BodySink& sink) {
  const auto trace = [&](const std::string& text) {
    if (settings_.trace) settings_.trace(text);
  };
  trace(fmt::format("GET {}{}{}", request.url.shown(),
                    request.range ? " bytes " + text_of(*request.range) : "",
                    request.bearer == nullptr ? "" : ", Bearer <redacted>"));
  configure(request);
  CURL* const easy = handles_->easy;
  HeaderList headers;
  headers.add("Accept-Encoding: identity");
  if (request.bearer != nullptr) headers.add_secret("Authorization: Bearer ", *request.bearer);
  IncomingAnswer answer(easy, sink, request.bearer);
  set_option(easy, CURLOPT_HTTPHEADER, headers.get());
  set_option(easy, CURLOPT_HEADERFUNCTION, &IncomingAnswer::on_header);
  set_option(easy, CURLOPT_HEADERDATA, &answer);
  set_option(easy, CURLOPT_WRITEFUNCTION, &IncomingAnswer::on_data);
  set_option(easy, CURLOPT_WRITEDATA, &answer);
  const auto code = static_cast<CURLcode>(transfer());
  answer.rethrow();
  if (code == CURLE_ABORTED_BY_CALLBACK) throw Stopped();
  if (answer.encoded()) {
    throw TransportError(TransportFailure::kBroken, "the answer is compressed, unasked");
  }
  if (code != CURLE_OK && !answer.is_over()) {
    const std::string reason =
        handles_->error[0] != '\0' ? handles_->error.data() : curl_easy_strerror(code);
    const std::string text = fmt::format("{}: {}", request.url.shown(),
                                         base::escape_controls(public_text(code, reason)));
    trace("failed: " + text);
    const TransportFailure failure = failure_of(code);
    throw TransportError(failure,
                         failure == TransportFailure::kCertificate ? text + trusted() : text);
  }
  answer.finish();
  trace(fmt::format("answered {}", answer.head().status));
  return std::move(answer.head());
}

}  // namespace lq::net
