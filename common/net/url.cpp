#include "common/net/url.h"

#include <algorithm>
#include <curl/curl.h>
#include <fmt/format.h>
#include <memory>
#include <new>

#include "common/base/text.h"

namespace lq::net {
namespace {

struct Free {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};
using Handle = std::unique_ptr<CURLU, Free>;

Handle new_handle() {
  Handle handle(curl_url());
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

/// Empty where the address has no such part.
std::string part(CURLU* url, CURLUPart which, unsigned int flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK || text == nullptr) return "";
  return std::unique_ptr<char, Free>(text).get();
}

bool has_control_or_blank(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) return true;
  }
  return false;
}

}  // namespace

std::optional<Url> Url::parse(const std::string& text) { return Url().resolve(text); }

std::optional<Url> Url::resolve(const std::string& location) const {
  if (location.empty() || has_control_or_blank(location)) return {};
  const Handle handle = new_handle();
  if (!text_.empty() && curl_url_set(handle.get(), CURLUPART_URL, text_.c_str(), 0) != CURLUE_OK) {
    return {};
  }
  if (curl_url_set(handle.get(), CURLUPART_URL, location.c_str(), CURLU_DISALLOW_USER) !=
      CURLUE_OK) {
    return {};
  }
  Url url;
  url.origin_ = {part(handle.get(), CURLUPART_SCHEME),
                 base::to_lower(part(handle.get(), CURLUPART_HOST)),
                 part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if (url.origin_.scheme != "http" && url.origin_.scheme != "https") return {};
  if (url.origin_.host.empty() || !part(handle.get(), CURLUPART_USER).empty()) return {};
  curl_url_set(handle.get(), CURLUPART_FRAGMENT, nullptr, 0);
  url.text_ = part(handle.get(), CURLUPART_URL);
  return url;
}

std::string Url::shown() const { return base::escape_controls(text_.substr(0, text_.find('?'))); }

Url Url::moved_below(const Url& other) const {
  const Handle handle = new_handle(), place = new_handle();
  curl_url_set(place.get(), CURLUPART_URL, other.text_.c_str(), 0);
  std::string folder = part(place.get(), CURLUPART_PATH);
  while (folder.ends_with('/')) folder.pop_back();
  curl_url_set(handle.get(), CURLUPART_URL, text_.c_str(), 0);
  curl_url_set(handle.get(), CURLUPART_SCHEME, other.origin_.scheme.c_str(), 0);
  curl_url_set(handle.get(), CURLUPART_HOST, other.origin_.host.c_str(), 0);
  curl_url_set(handle.get(), CURLUPART_PORT, other.origin_.port.c_str(), 0);
  curl_url_set(handle.get(), CURLUPART_PATH, (folder + part(handle.get(), CURLUPART_PATH)).c_str(),
               0);
  Url url;
  url.text_ = part(handle.get(), CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
  url.origin_ = other.origin_;
  return url;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string percent_encode_path(std::string_view path) {
  std::string encoded;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (begin > 0) encoded += '/';
    encoded += percent_encode(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return encoded;
}

}  // namespace lq::net
