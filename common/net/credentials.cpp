#include "common/net/credentials.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <openssl/crypto.h>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include "common/base/errors.h"
#include "common/base/text.h"

namespace lq::net {
namespace {

constexpr std::size_t kMaxTokenBytes = std::size_t{16} << 10U;
constexpr std::size_t kMaxStoredBytes = std::size_t{1} << 20U;
constexpr const char* kStandardInput = "-";

/// All that the string has room for: a short one that was moved from keeps its bytes.
void wipe(std::string& secret) {
  secret.resize(secret.capacity());
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

/// Text with a token in it, on its way to becoming one.
struct SecretText {
  std::string text;

  SecretText() = default;
  explicit SecretText(std::string value) : text(std::move(value)) { wipe(value); }
  ~SecretText() { wipe(text); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
};

/// Returns an error number. The room is taken at once, because a string that grows leaves copies
/// behind.
int read_all(int fd, std::size_t max_bytes, std::string& text) {
  text.resize(max_bytes + 1);
  std::size_t n_read = 0;
  while (n_read < text.size()) {
    const ssize_t n = ::read(fd, text.data() + n_read, text.size() - n_read);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) break;
    n_read += static_cast<std::size_t>(n);
  }
  if (n_read > max_bytes) return EFBIG;
  text.resize(n_read);
  return 0;
}

/// Pipes will do, as a shell makes them for <(command).
int read_secret_file(const std::filesystem::path& path, std::size_t max_bytes, std::string& text) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return errno;
  const int error_number = read_all(fd, max_bytes, text);
  ::close(fd);
  return error_number;
}

/// Empty when `raw` holds nothing but blanks and line ends.
Token cleaned(std::string_view raw, std::string origin) {
  raw = base::trimmed(raw);
  const auto is_line_end = [](char c) { return c == '\r' || c == '\n'; };
  const bool can_be_sent =
      std::ranges::all_of(raw, [&](char c) { return is_line_end(c) || (c >= 0x20 && c < 0x7F); });
  if (!can_be_sent) {
    throw base::UsageError(fmt::format("the token from {} cannot be used", origin),
                           "it has a character that is no letter, digit or sign of ASCII",
                           "copy it again from the Hub's settings, or run: hf auth login");
  }
  SecretText secret;
  secret.text.reserve(raw.size());
  std::ranges::copy_if(raw, std::back_inserter(secret.text),
                       [&](char c) { return !is_line_end(c); });
  if (secret.text.empty()) return {};
  return {std::move(secret.text), std::move(origin)};
}

struct Section {
  std::string name;
  std::string_view token{};     // in the text that was read
  std::int64_t expires_at = 0;  // Unix seconds; 0 = unknown
};

/// 0 where it is none.
std::int64_t whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

/// The sections of an INI file; lines that are none of it are passed over.
std::vector<Section> sections_of(std::string_view text) {
  std::vector<Section> sections;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = base::trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('[') && line.find(']') != std::string_view::npos) {
      sections.push_back({.name = std::string(line.substr(1, line.rfind(']') - 1))});
      continue;
    }
    const std::size_t equals = line.find_first_of("=:");
    if (equals == std::string_view::npos || sections.empty()) continue;
    const std::string key = base::to_lower(base::trimmed(line.substr(0, equals)));
    const std::string_view value = base::trimmed(line.substr(equals + 1));
    if (key == "hf_token") sections.back().token = value;
    if (key == "expires_at") sections.back().expires_at = whole_number(value);
  }
  return sections;
}

/// REQUIRES: the time is between 1970 and now.
std::string date_of(std::int64_t unix_seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

std::filesystem::path stored_tokens(const HubSettings& settings) {
  return settings.token_file.parent_path() / "stored_tokens";
}

void note_expiry(Token& token, const HubSettings& settings, double now) {
  SecretText stored;
  if (read_secret_file(stored_tokens(settings), kMaxStoredBytes, stored.text) != 0) return;
  for (const Section& section : sections_of(stored.text)) {
    const bool expired = section.expires_at > 0 && static_cast<double>(section.expires_at) <= now;
    if (section.token == token.secret() && expired) {
      token.set_expiry_note("it expired on " + date_of(section.expires_at));
    }
  }
}

void refuse_contradictions(const TokenWishes& wishes) {
  std::vector<std::string_view> given;
  if (!wishes.file.empty()) given.emplace_back("--token-file");
  if (!wishes.name.empty()) given.emplace_back("--token-name");
  if (wishes.none) given.emplace_back("--no-token");
  if (given.size() < 2) return;
  throw base::UsageError(fmt::format("{} and {} contradict each other", given[0], given[1]),
                         "each of them says which token to send", "give one of them");
}

Token token_of_file(const std::string& file) {
  const bool is_input = file == kStandardInput;
  const std::string origin =
      is_input ? "standard input" : fmt::format("the file {}", base::shown(file));
  SecretText text;
  const int error_number = is_input ? read_all(STDIN_FILENO, kMaxTokenBytes, text.text)
                                    : read_secret_file(file, kMaxTokenBytes, text.text);
  if (error_number != 0) {
    throw base::ModelNotFoundError(fmt::format("cannot read the token from {}", origin),
                                   base::errno_text(error_number),
                                   "name a file that holds a token, or - for standard input");
  }
  Token token = cleaned(text.text, origin);
  if (token.empty()) {
    throw base::ModelNotFoundError(fmt::format("cannot read the token from {}", origin),
                                   "there is nothing in it",
                                   "put a token there, or leave out --token-file");
  }
  return token;
}

[[noreturn]] void no_such_section(const std::string& name, const std::string& why,
                                  const std::vector<Section>& sections) {
  std::vector<std::string> names;
  for (const Section& section : sections) names.push_back(section.name);
  const std::string near = base::nearest(name, names);
  throw base::ModelNotFoundError(
      fmt::format("there is no token named '{}'", base::escape_controls(name)), why,
      near.empty() || near == name
          ? "hf auth list shows the names; hf auth login adds one"
          : fmt::format("did you mean --token-name '{}'?", base::escape_controls(near)));
}

Token token_of_name(const std::string& name, const HubSettings& settings) {
  const std::filesystem::path path = stored_tokens(settings);
  SecretText stored;
  if (const int error_number = read_secret_file(path, kMaxStoredBytes, stored.text)) {
    no_such_section(name, fmt::format("{}: {}", base::shown(path), base::errno_text(error_number)),
                    {});
  }
  const std::vector<Section> sections = sections_of(stored.text);
  const auto section = std::ranges::find(sections, name, &Section::name);
  if (section == sections.end()) {
    no_such_section(name, fmt::format("{} has no such section", base::shown(path)), sections);
  }
  Token token = cleaned(
      section->token,
      fmt::format("the section '{}' of {}", base::escape_controls(name), base::shown(path)));
  if (token.empty()) {
    no_such_section(name, fmt::format("the section of {} has no hf_token", base::shown(path)),
                    sections);
  }
  return token;
}

/// What the user did not ask for is not missed either: a token file that cannot be read is none.
Token implicit_token(const HubSettings& settings, const base::Environment& environment) {
  for (const char* variable : {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
    const SecretText value(environment.get(variable));
    Token token = cleaned(value.text, fmt::format("the variable {}", variable));
    if (!token.empty()) return token;
  }
  SecretText text;
  if (read_secret_file(settings.token_file, kMaxTokenBytes, text.text) != 0) return {};
  return cleaned(text.text, fmt::format("the file {}", base::shown(settings.token_file)));
}

}  // namespace

Token::Token(std::string secret, std::string origin)
    : secret_(std::move(secret)), origin_(std::move(origin)) {
  wipe(secret);
}

std::string redacted(std::string text, const std::string& secret) {
  constexpr std::string_view kInstead = "<redacted>";
  if (secret.empty()) return text;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kInstead.size())) {
    text.replace(at, secret.size(), kInstead);
  }
  return text;
}

Token::~Token() { wipe(secret_); }

Token::Token(Token&& other) noexcept
    : secret_(std::move(other.secret_)),
      origin_(std::move(other.origin_)),
      expiry_note_(std::move(other.expiry_note_)) {
  wipe(other.secret_);
}

Token& Token::operator=(Token&& other) noexcept {
  if (this == &other) return *this;
  wipe(secret_);
  secret_ = std::move(other.secret_);
  origin_ = std::move(other.origin_);
  expiry_note_ = std::move(other.expiry_note_);
  wipe(other.secret_);
  return *this;
}

Token find_token(const TokenWishes& wishes, const HubSettings& settings,
                 const base::Environment& environment, double now) {
  refuse_contradictions(wishes);
  Token token;
  if (!wishes.file.empty()) {
    token = token_of_file(wishes.file);
  } else if (!wishes.name.empty()) {
    token = token_of_name(wishes.name, settings);
  } else if (!wishes.none && !is_true(environment.get("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) {
    token = implicit_token(settings, environment);
  }
  if (!token.empty()) note_expiry(token, settings, now);
  return token;
}

}  // namespace lq::net
