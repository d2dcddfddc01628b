#include "common/net/hub_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/net/content_hash.h"
#include "common/net/repo_operand.h"

namespace lq::net {
namespace {

using nlohmann::json;

constexpr std::size_t kMostAnswerBytes = std::size_t{64} << 20;
constexpr std::size_t kMostPages = 10'000, kMostFiles = 1'000'000;

/// A body of a size that fits memory.
class TextSink : public BodySink {
 public:
  TextSink(std::string& text, std::size_t most_bytes) : text_(text), most_bytes_(most_bytes) {}
  bool begin(const HttpHead& head) override {
    text_.clear();
    return head.status / 100 == 2;  // what a refusal says is in its head
  }
  bool data(std::span<const std::byte> bytes) override {
    if (text_.size() + bytes.size() > most_bytes_) {
      throw TransportError(TransportFailure::kBroken, fmt::format("the answer is longer than {}",
                                                                  base::format_bytes(most_bytes_)));
    }
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }

 private:
  std::string& text_;
  const std::size_t most_bytes_;
};

/// For a question of which only the head counts: the body is taken where it is that one byte.
class OneByteSink : public BodySink {
 public:
  bool begin(const HttpHead& head) override { return head.status == 206; }
  bool data(std::span<const std::byte>) override { return true; }
};

/// Some bytes of a file, also from a server that takes no ranges and sends it from its beginning.
class PartSink : public BodySink {
 public:
  PartSink(std::string& bytes, Extent range, std::uint64_t file_size)
      : bytes_(bytes), range_(range), file_size_(file_size) {}

  bool begin(const HttpHead& head) override {
    bytes_.clear();
    to_skip_ = head.status == 206 ? 0 : range_.begin;
    if (head.status == 206) problem_ = range_problem(head, range_, file_size_);
    return head.status / 100 == 2 && problem_.empty();
  }
  bool data(std::span<const std::byte> bytes) override {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, bytes.size()));
    to_skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    const std::size_t n = std::min(bytes.size(), wanted() - bytes_.size());
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), n);
    return bytes_.size() < wanted();
  }
  /// Empty when everything has come.
  std::string problem() const {
    if (!problem_.empty() || bytes_.size() == wanted()) return problem_;
    return "the answer ended early";
  }

 private:
  std::size_t wanted() const { return static_cast<std::size_t>(range_.size()); }

  std::string& bytes_;
  const Extent range_;
  const std::uint64_t file_size_;
  std::uint64_t to_skip_ = 0;
  std::string problem_;
};

/// Discarded where it is no JSON. Throws TransportError for one of brackets in brackets: each takes
/// memory.
json parsed(const std::string& body) {
  constexpr int kDeepest = 64;
  const auto is_kept = [](int depth, json::parse_event_t, json&) {
    if (depth <= kDeepest) return true;
    throw TransportError(TransportFailure::kBroken, "the answer is nested too deeply");
  };
  return json::parse(body, is_kept, false);
}

/// Of an answer without a length the connection's end is the end.
bool is_cut_short(const std::string& body, const json& parsed) {
  const bool begins_like_json = body.empty() || body.front() == '[' || body.front() == '{';
  return parsed.is_discarded() && begins_like_json;
}

std::string string_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The address in `Link: <...>; rel="next"`; empty when there is none.
std::string next_link(const std::string& header) {
  for (std::size_t at = 0; at < header.size();) {
    const std::size_t open = header.find('<', at), close = header.find('>', at);
    if (open == std::string::npos || close == std::string::npos || close < open) return "";
    const std::size_t end = std::min(header.find('<', close), header.size());
    const std::string parameters = header.substr(close, end - close);
    if (parameters.find("rel=\"next\"") != std::string::npos ||
        parameters.find("rel=next") != std::string::npos) {
      return header.substr(open + 1, close - open - 1);
    }
    at = end;
  }
  return "";
}

/// Without W/ and quotes.
std::string bare_etag(std::string etag) {
  if (etag.starts_with("W/")) etag = etag.substr(2);
  std::erase(etag, '"');
  return etag;
}

template <class Settings>
Settings with_stop(Settings settings, const std::function<bool()>& stop) {
  if (stop) settings.stop = stop;
  return settings;
}

}  // namespace

HubClient::HubClient(const HubAccess& access, std::function<bool()> stop)
    : access_(access),
      patience_(with_stop(access.patience, stop)),
      connection_(with_stop(access.http, stop)) {}

Url HubClient::address(const std::string& path) const {
  return *Url::parse(access_.shown_endpoint() + path);
}

Answer HubClient::send(HttpRequest request, RequestPace& pace, BodySink& sink) {
  const bool counted = request.url.origin() == access_.endpoint.url.origin();
  const double wait = counted ? pace.take(steady_now()) : 0;
  if (wait > patience_.longest_hint) throw FailedAttempt{{"the server's quota is used up", wait}};
  if (wait > 0) {
    if (wait > 1 && patience_.announce) {
      patience_.announce("the server's quota is nearly used up", wait);
    }
    sleep_unless_stopped(wait, patience_.stop);
  }
  if (!access_.token.empty()) request.bearer = &access_.token.secret();
  Answer answer = follow(connection_, access_.endpoint, std::move(request), sink);
  if (counted) pace.note(*answer.heads().front(), steady_now());
  for (const HttpHead* head : answer.heads()) {
    const std::string warning = head->header("x-hf-warning");
    if (warning.empty() || !access_.warn) continue;
    const std::size_t semicolon = std::min(warning.find(';'), warning.size());
    access_.warn(base::escape_controls(warning.substr(0, semicolon)),
                 base::escape_controls(warning));
  }
  return answer;
}

Asked HubClient::asked_for(const std::string& what, const std::string& id,
                           const std::string& revision) const {
  return {.what = what,
          .id = id,
          .revision = revision,
          .path = "",
          .endpoint = access_.shown_endpoint(),
          .token = &access_.token};
}

Asked HubClient::asked_for_file(const std::string& verb, const std::string& id,
                                const std::string& commit, const RepoFile& file) const {
  Asked asked =
      asked_for(fmt::format("{} {} of {}", verb, base::escape_controls(file.path), id), id, commit);
  asked.path = file.path;
  return asked;
}

std::optional<Failure> HubClient::failure_of(const Answer& answer, const Asked& asked) const {
  if (answer.head.status / 100 == 2) return {};
  if (answer.at_endpoint && is_refusal(answer)) throw_refusal(answer, asked);
  Failure failure = {fmt::format("{} answered with {}", answer.url.shown(), reason_of(answer)),
                     server_hint(answer.head, unix_now())};
  // The storage has no such object, or another one than the Hub lists: more tries do not help.
  const long status = answer.head.status;
  if (status == 404 || status == 410 || status == 416) failure.retries = 1;
  return failure;
}

HubClient::ApiAnswer HubClient::api(const Url& url, const Asked& asked) {
  ApiAnswer result;
  std::string body;
  Attempts(patience_, asked.what).run([&]() -> std::optional<Failure> {
    TextSink sink(body, kMostAnswerBytes);
    result.answer =
        send({.url = url, .total_seconds = access_.api_seconds}, *access_.api_pace, sink);
    if (auto failure = failure_of(result.answer, asked)) return failure;
    result.parsed = parsed(body);
    if (is_cut_short(body, result.parsed)) return Failure{"the answer ended early"};
    return {};
  });
  if (result.parsed.is_discarded()) {
    throw base::NetworkError(asked.what, result.answer.url.shown() + " did not answer with JSON",
                             "check HF_ENDPOINT: is this a Hub, and not a proxy's login page?");
  }
  return result;
}

std::string HubClient::commit_of(const std::string& id, const std::string& revision) {
  const std::string what = fmt::format("cannot look up {}", base::escape_controls(id));
  const Url url = address(fmt::format("/api/models/{}/revision/{}", id, percent_encode(revision)));
  Asked asked = asked_for(what, id, revision);
  ApiAnswer result;
  try {
    result = api(url, asked);
  } catch (const base::ModelNotFoundError& error) {
    const std::string known = known_revisions(id);
    if (known.empty()) throw;
    throw base::ModelNotFoundError(error.what(), error.why(), error.fix() + "; there is: " + known);
  }
  const std::string commit = string_of(result.parsed, "sha");
  if (!is_commit(commit)) {
    throw base::NetworkError(what, url.shown() + " does not name a commit",
                             "check HF_ENDPOINT: is this a Hub?");
  }
  return commit;
}

std::string HubClient::known_revisions(const std::string& id) {
  try {
    std::string body;
    TextSink sink(body, kMostAnswerBytes);
    const Answer answer = send({.url = address(fmt::format("/api/models/{}/refs", id)),
                                .total_seconds = access_.api_seconds},
                               *access_.api_pace, sink);
    if (answer.head.status != 200) return "";
    const json refs = parsed(body);
    std::vector<std::string> names;
    for (const char* const kind : {"branches", "tags"}) {
      if (!refs.is_object() || !refs.contains(kind) || !refs[kind].is_array()) continue;
      for (const json& ref : refs[kind]) {
        if (ref.is_object()) names.push_back(base::escape_controls(string_of(ref, "name")));
      }
    }
    constexpr std::size_t kShown = 8;
    if (names.size() > kShown) names.resize(kShown);
    return fmt::format("{}", fmt::join(names, ", "));
  } catch (const TransportError&) {  // the names are a courtesy
    return "";
  }
}

std::vector<RepoFile> HubClient::files(const std::string& id, const std::string& commit) {
  const std::string what = fmt::format("cannot list the files of {}", base::escape_controls(id));
  const Asked asked = asked_for(what, id, commit);
  std::vector<RepoFile> files;
  std::set<std::string> seen;
  Url url = address(fmt::format("/api/models/{}/tree/{}?recursive=true&expand=false", id, commit));
  for (;;) {
    const auto fail = [&](const std::string& why) {
      throw base::NetworkError(what, why, "check HF_ENDPOINT, or try again later");
    };
    if (!seen.insert(url.text()).second) fail("the list of files comes back to where it was");
    if (seen.size() > kMostPages) fail("the list of files does not end");
    const ApiAnswer page = api(url, asked);
    for (RepoFile& file : files_of_tree_page(page.parsed)) {
      files.push_back(std::move(file));
    }
    if (files.size() > kMostFiles) fail("the list of files does not end");
    const std::string link = next_link(page.answer.head.header("link"));
    if (link.empty()) return files;
    const std::optional<Url> next = page.answer.url.resolve(link);
    if (!next) fail("the address of the next page is not used: " + base::without_secrets(link));
    url = *next;
    if (access_.endpoint.is_mirror && is_hub(url.origin())) {
      url = url.moved_below(access_.endpoint.url);
    }
    if (!(url.origin() == access_.endpoint.url.origin())) {
      fail("the next page of the list is on another host: " + url.shown());
    }
  }
}

Answer HubClient::open(const std::string& id, const std::string& commit, const RepoFile& file,
                       std::optional<Extent> range, std::optional<Url>& direct, BodySink& sink) {
  const Url url =
      direct
          ? *direct
          : address(fmt::format("/{}/resolve/{}/{}", id, commit, percent_encode_path(file.path)));
  Answer answer = send({.url = url, .range = range}, *access_.file_pace, sink);
  if (!direct && !answer.at_endpoint && answer.head.status / 100 == 2) direct = answer.url;
  return answer;
}

void HubClient::check_access(const std::string& id, const std::string& commit,
                             const RepoFile& file) {
  const Asked asked = asked_for_file("cannot download", id, commit, file);
  Attempts(patience_, asked.what).run([&] {
    OneByteSink sink;
    std::optional<Extent> range;
    if (file.size > 0) range = Extent{0, 1};
    std::optional<Url> direct;
    return failure_of(open(id, commit, file, range, direct, sink), asked);
  });
}

std::string HubClient::part(const std::string& id, const std::string& commit, const RepoFile& file,
                            Extent range) {
  const Asked asked = asked_for_file("cannot read", id, commit, file);
  std::string body;
  Attempts(patience_, asked.what).run([&]() -> std::optional<Failure> {
    std::optional<Url> direct;
    PartSink sink(body, range, file.size);
    const Answer answer = open(id, commit, file, range, direct, sink);
    if (auto failure = failure_of(answer, asked)) return failure;
    if (const std::string problem = sink.problem(); !problem.empty()) return Failure{problem};
    return {};
  });
  return body;
}

std::string HubClient::text(const std::string& id, const std::string& commit, const RepoFile& file,
                            std::uint64_t most_bytes) {
  const Asked asked = asked_for_file("cannot read", id, commit, file);
  if (file.size > most_bytes) {
    throw base::ValidationError(
        asked.what,
        fmt::format("it has {}, which is too long for such a file", base::format_bytes(file.size)),
        "look at the repository: this is no ordinary model");
  }
  std::string body;
  int wrong = 0;
  Attempts(patience_, asked.what).run([&]() -> std::optional<Failure> {
    std::optional<Url> direct;
    TextSink sink(body, file.size);
    if (auto failure = failure_of(open(id, commit, file, {}, direct, sink), asked)) return failure;
    if (body.size() < file.size) return Failure{"the answer ended early"};
    ContentHash hash(file);
    hash.update(std::as_bytes(std::span(body)));
    if (hash.is_right()) return {};
    if (++wrong == 2) {
      throw base::ValidationError(asked.what,
                                  "its content does not have the hash that the Hub lists",
                                  "try again later; the file on the server may be damaged");
    }
    return Failure{"its content is wrong"};
  });
  return body;
}

std::string mismatch(const HttpHead& head, const std::string& commit, const RepoFile& file) {
  const std::string from_commit = head.header("x-repo-commit");
  if (!from_commit.empty() && from_commit != commit) {
    return fmt::format("the answer belongs to commit {}, not to {}",
                       base::escape_controls(from_commit), commit);
  }
  std::string etag = bare_etag(head.header("x-linked-etag"));
  if (etag.empty() && head.status / 100 == 2) etag = bare_etag(head.header("etag"));
  if (!etag.empty() && !file.etag().empty() && etag != file.etag()) {
    return fmt::format("the answer is of content {}, not of {}", base::escape_controls(etag),
                       file.etag());
  }
  const std::string size = head.header("x-linked-size");
  if (!size.empty() && size != fmt::format("{}", file.size)) {
    return fmt::format("the answer is of a file of {} bytes, not of {}",
                       base::escape_controls(size), file.size);
  }
  return "";
}

}  // namespace lq::net
