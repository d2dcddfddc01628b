#include "common/net/repo_operand.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/safe_path.h"
#include "common/net/url.h"

namespace lq::net {
namespace {

constexpr std::size_t kMaxPartCharacters = 96;
constexpr std::array<std::string_view, 5> kOtherKinds = {"datasets", "spaces", "kernels", "buckets",
                                                         "collections"};
constexpr std::array<std::string_view, 4> kFilePages = {"blob", "resolve", "raw", "blame"};

bool is_id_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_edge(char c) { return c == '-' || c == '.'; }

/// As the end of a sentence: "has an empty part".
std::optional<std::string> part_problem(std::string_view part) {
  if (part.empty()) return "has an empty part";
  if (!std::ranges::all_of(part, is_id_character)) {
    return "has a character other than A-Z a-z 0-9 - _ .";
  }
  if (part.size() > kMaxPartCharacters) {
    return fmt::format("has a part of more than {} characters", kMaxPartCharacters);
  }
  if (is_edge(part.front()) || is_edge(part.back())) {
    return "has a part that starts or ends with - or .";
  }
  return std::nullopt;
}

std::optional<std::string> id_problem(std::string_view id) {
  if (id.empty()) return "is empty";
  const std::size_t slash = id.find('/');
  const bool one_part = slash == std::string_view::npos;
  const std::string_view name = one_part ? id : id.substr(slash + 1);
  if (name.find('/') != std::string_view::npos) return "has more than one slash";
  if (!one_part) {
    if (auto problem = part_problem(id.substr(0, slash))) return problem;
  }
  if (auto problem = part_problem(name)) return problem;
  if (id.ends_with(".git")) return "ends in .git";
  for (const std::string_view mark : {"--", ".."}) {
    if (id.find(mark) != std::string_view::npos) return fmt::format("has `{}` in it", mark);
  }
  return std::nullopt;
}

/// The byte that `text` begins with as %XX; nothing where it does not.
std::optional<char> encoded_byte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return std::nullopt;
  unsigned char value = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + 3, value, 16);
  if (error != std::errc() || end != text.data() + 3) return std::nullopt;
  return static_cast<char>(value);
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const auto byte = encoded_byte(text);
    decoded += byte.value_or(text[0]);
    text.remove_prefix(byte ? 3 : 1);
  }
  return decoded;
}

class OperandParser {
 public:
  OperandParser(std::string_view text, const std::string& endpoint)
      : text_(text), endpoint_(endpoint) {}

  RepoOperand parse() const {
    const std::string lower = base::to_lower(text_);
    if (lower.starts_with("hf://")) return parse_hub_uri(text_.substr(5));
    if (lower.starts_with("http://") || lower.starts_with("https://")) return parse_web_address();
    const std::size_t at = text_.find('@');
    if (at == std::string_view::npos) return repository(text_);
    return repository(text_.substr(0, at), std::string(text_.substr(at + 1)));
  }

 private:
  [[noreturn]] void refuse(std::string why, std::string fix = "") const {
    const bool is_web = base::to_lower(text_).starts_with("http");
    const std::string shown = is_web ? base::without_secrets(text_) : base::escape_controls(text_);
    if (fix.empty()) {
      fix = fmt::format(
          "write NAMESPACE/NAME, NAMESPACE/NAME@REVISION, or the repository's address below {}",
          base::escape_controls(endpoint_));
    }
    throw base::UsageError(fmt::format("'{}' names no model repository", shown), std::move(why),
                           std::move(fix));
  }

  RepoOperand repository(std::string_view id) const {
    require_model(id.substr(0, id.find('/')));
    if (const auto problem = id_problem(id)) {
      refuse(fmt::format("the name '{}' {}", base::escape_controls(id), *problem));
    }
    return {.id = std::string(id)};
  }

  RepoOperand repository(std::string_view id, std::string revision) const {
    RepoOperand operand = repository(id);
    // It becomes the name of a file below refs/.
    if (const auto problem = io::path_problem(revision)) {
      refuse(fmt::format("the revision '{}' {}", base::escape_controls(revision), *problem),
             "give a branch, a tag, a commit, or refs/pr/N for a pull request");
    }
    operand.revision = std::move(revision);
    operand.revision_given = true;
    return operand;
  }

  void require_model(std::string_view first) const {
    if (std::ranges::find(kOtherKinds, first) == kOtherKinds.end()) return;
    refuse(fmt::format("it lies below {}/, and only model repositories can be fetched", first));
  }

  [[noreturn]] void refuse_file(std::string_view id) const {
    refuse("it names a file or folder in the repository",
           fmt::format("give '{}' and choose the files with --include PATTERN",
                       base::escape_controls(id)));
  }

  /// [models/]namespace/name[@revision][/path]
  RepoOperand parse_hub_uri(std::string_view rest) const {
    constexpr std::string_view kModels = "models/";
    if (rest.starts_with(kModels)) rest.remove_prefix(kModels.size());
    require_model(rest.substr(0, rest.find('/')));
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) refuse("hf:// wants two parts, NAMESPACE/NAME");
    const std::size_t end = std::min(rest.find_first_of("/@", slash + 1), rest.size());
    const std::string_view id = rest.substr(0, end);
    rest.remove_prefix(end);
    if (!rest.starts_with('@')) {
      if (rest.size() > 1) refuse_file(id);
      return repository(id);
    }
    rest.remove_prefix(1);
    const std::size_t revision_end = end_of_revision(rest);
    if (rest.size() > revision_end + 1) refuse_file(id);
    return repository(id, percent_decode(rest.substr(0, revision_end)));
  }

  /// A slash ends it, but for special refs (refs/pr/3), which have two.
  static std::size_t end_of_revision(std::string_view text) {
    std::size_t end = std::min(text.find('/'), text.size());
    for (int i = 0; i < 2 && text.starts_with("refs/") && end < text.size(); ++i) {
      end = std::min(text.find('/', end + 1), text.size());
    }
    return end;
  }

  /// What follows the endpoint, without query; refuses other places.
  std::string_view path_of_address() const {
    const std::size_t host = endpoint_.find("://");
    const std::size_t host_end =
        host == std::string::npos ? 0 : std::min(endpoint_.find('/', host + 3), endpoint_.size());
    const bool same_host = base::to_lower(text_.substr(0, host_end)) ==
                           base::to_lower(std::string_view(endpoint_).substr(0, host_end));
    std::string_view path = text_.substr(std::min(host_end, text_.size()));
    const std::string_view prefix = std::string_view(endpoint_).substr(host_end);
    const bool below =
        path.starts_with(prefix) &&
        (path.size() == prefix.size() ||
         std::string_view("/?#").find(path[prefix.size()]) != std::string_view::npos);
    if (!same_host || !below) {
      refuse(fmt::format("it is no address below {}", base::escape_controls(endpoint_)));
    }
    path.remove_prefix(prefix.size());
    path = path.substr(0, path.find_first_of("?#"));
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.starts_with('/')) path.remove_prefix(1);
    return path;
  }

  /// namespace/name[/tree/revision]
  RepoOperand parse_web_address() const {
    const std::string_view path = path_of_address();
    const std::size_t slash = path.find('/');
    require_model(path.substr(0, slash));
    if (slash == std::string_view::npos) refuse("the address of a repository has two parts");
    const std::size_t id_end = std::min(path.find('/', slash + 1), path.size());
    const std::string_view id = path.substr(0, id_end);
    if (id_end == path.size()) return repository(id);
    const std::string_view rest = path.substr(id_end + 1);
    const std::string_view page = rest.substr(0, rest.find('/'));
    if (std::ranges::find(kFilePages, page) != kFilePages.end()) refuse_file(id);
    if (page != "tree") {
      refuse(fmt::format("it is the page '{}' of the repository", base::escape_controls(page)),
             fmt::format("give '{}'", base::escape_controls(id)));
    }
    if (page == rest) return repository(id);
    return repository(id, percent_decode(rest.substr(page.size() + 1)));
  }

  std::string_view text_;
  const std::string& endpoint_;
};

}  // namespace

RepoOperand parse_repo_operand(std::string_view text, const std::string& endpoint) {
  return OperandParser(text, endpoint).parse();
}

bool is_repo_id(std::string_view id) { return !id_problem(id); }

std::string cache_folder(const std::string& id) {
  std::string folder = "models--" + id;
  if (const std::size_t slash = folder.find('/'); slash != std::string::npos) {
    folder.replace(slash, 1, "--");
  }
  return folder;
}

bool is_commit(std::string_view revision) {
  constexpr std::size_t kDigits = 40;
  return base::is_lower_hex(revision, kDigits);
}

}  // namespace lq::net
