#include "common/net/hub_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <pwd.h>
#include <string_view>
#include <unistd.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/net/url.h"

namespace lq::net {
namespace {

/// The first variable that is set.
std::string first_of(const base::Environment& environment,
                     std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = environment.get(name); !value.empty()) return value;
  }
  return "";
}

/// Of `user`, or of whoever runs this where it is empty; empty when the system does not know.
std::string home_in_password_file(const std::string& user) {
  std::array<char, 16384> text = {};
  struct passwd entry = {};
  struct passwd* found = nullptr;
  if (user.empty()) {
    ::getpwuid_r(::getuid(), &entry, text.data(), text.size(), &found);
  } else {
    ::getpwnam_r(user.c_str(), &entry, text.data(), text.size(), &found);
  }
  return found == nullptr || found->pw_dir == nullptr ? "" : found->pw_dir;
}

/// `~` and `~user` at the start.
std::string expand_home(const std::string& path, const base::Environment& environment) {
  if (!path.starts_with('~')) return path;
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string user = path.substr(1, end - 1);
  std::string home = user.empty() ? environment.get("HOME") : "";
  if (home.empty()) home = home_in_password_file(user);
  if (home.empty()) return path;
  while (home.size() > 1 && home.ends_with('/')) home.pop_back();
  return home == "/" && end < path.size() ? path.substr(end) : home + path.substr(end);
}

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/// The name in the `$NAME` or `${NAME}` that `text` begins with, and the length of the whole;
/// length 0 where it begins with none.
std::pair<std::string, std::size_t> leading_variable(std::string_view text) {
  if (!text.starts_with('$')) return {"", 0};
  if (text.starts_with("${")) {
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return {"", 0};
    return {std::string(text.substr(2, end - 2)), end + 1};
  }
  std::size_t end = 1;
  while (end < text.size() && is_name_character(text[end])) ++end;
  return {std::string(text.substr(1, end - 1)), end};
}

/// A variable that is not set stays as it is written, and values are not looked into again, both as
/// in the reference client.
std::string expand_variables(std::string_view path, const base::Environment& environment) {
  std::string expanded;
  while (!path.empty()) {
    const auto [name, length] = leading_variable(path);
    const std::string value = name.empty() ? "" : environment.get(name);
    const std::size_t taken = std::max<std::size_t>(length, 1);
    expanded += value.empty() ? std::string(path.substr(0, taken)) : value;
    path.remove_prefix(taken);
  }
  return expanded;
}

std::filesystem::path expanded(const std::string& path, const base::Environment& environment) {
  return expand_variables(expand_home(path, environment), environment);
}

std::filesystem::path home_of(const base::Environment& environment) {
  std::string home = environment.get("HF_HOME");
  if (home.empty()) {
    const std::string cache = environment.get("XDG_CACHE_HOME");
    home = (cache.empty() ? "~/.cache" : cache) + "/huggingface";
  }
  return expanded(home, environment);
}

std::string endpoint_of(const base::Environment& environment) {
  const std::string value = environment.get("HF_ENDPOINT");
  std::string_view text = base::trimmed(value);
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return HubSettings().endpoint;
  std::string endpoint(text);
  const bool is_bare = text.find_first_of("?#") == std::string_view::npos;
  if (is_bare && Url::parse(endpoint)) return endpoint;
  // What stands before an @ is a password more often than not.
  const bool is_secret = text.find('@') != std::string_view::npos;
  throw base::UsageError(
      is_secret ? "HF_ENDPOINT cannot be used"
                : fmt::format("HF_ENDPOINT '{}' cannot be used", base::escape_controls(text)),
      is_secret ? "it holds a user name or password"
                : "it is no address that begins with http:// or https:// and ends with a path",
      fmt::format("set it to a base address such as {}, or unset it", HubSettings().endpoint));
}

double raised(double least, const std::string& value) {
  constexpr double kLongest = 7 * 24 * 3600;  // also keeps the number within libcurl's integers
  const std::string_view text = base::trimmed(value);
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds)) {
    return least;
  }
  return std::clamp(seconds, least, kLongest);
}

/// The first variable that is set decides alone. The two that other programs brought into use name a
/// file or a directory.
void set_certificates(HubSettings& settings, const base::Environment& environment) {
  if (const std::string file = environment.get("SSL_CERT_FILE"); !file.empty()) {
    settings.ca_file = file;
  } else if (const std::string directory = environment.get("SSL_CERT_DIR"); !directory.empty()) {
    settings.ca_dir = directory;
  } else {
    const std::string bundle = first_of(environment, {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"});
    const auto status = io::file_status(bundle);
    (status && status->is_directory ? settings.ca_dir : settings.ca_file) = bundle;
  }
}

}  // namespace

bool is_true(const std::string& value) {
  const std::string lower = base::to_lower(value);
  return lower == "1" || lower == "on" || lower == "yes" || lower == "true";
}

HubSettings hub_settings(const base::Environment& environment) {
  HubSettings settings;
  settings.endpoint = endpoint_of(environment);
  settings.home = home_of(environment);
  const std::string cache = first_of(environment, {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  settings.cache = cache.empty() ? settings.home / "hub" : expanded(cache, environment);
  const std::string token_file = environment.get("HF_TOKEN_PATH");
  settings.token_file =
      token_file.empty() ? settings.home / "token" : expanded(token_file, environment);
  settings.offline = is_true(first_of(environment, {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}));
  settings.symlinks = !is_true(environment.get("HF_HUB_DISABLE_SYMLINKS"));
  settings.download_timeout_seconds =
      raised(settings.download_timeout_seconds, environment.get("HF_HUB_DOWNLOAD_TIMEOUT"));
  settings.api_timeout_seconds =
      raised(settings.api_timeout_seconds, environment.get("HF_HUB_ETAG_TIMEOUT"));
  set_certificates(settings, environment);
  return settings;
}

}  // namespace lq::net
