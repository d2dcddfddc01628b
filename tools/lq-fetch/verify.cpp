#include "tools/lq-fetch/verify.h"

#include <filesystem>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"
#include "common/net/file_check.h"
#include "tools/lq-fetch/record.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {
namespace {

constexpr std::size_t kShownProblems = 10;

/// The files that an earlier run recorded, else those that the wishes choose (with nothing known of
/// how they were).
std::vector<RecordedFile> files_to_check(const Session& session,
                                         const net::Destination& destination,
                                         const std::string& commit, net::HubClient* client) {
  std::vector<RecordedFile> files;
  const Record record = Record::read(destination, commit);
  for (const auto& [path, recorded] : record.files()) files.push_back(recorded);
  if (!files.empty()) return files;
  for (net::RepoFile& file : choose(session, destination, commit, client).chosen) {
    files.push_back({.file = std::move(file), .sha256 = ""});
  }
  return files;
}

/// How many files were compared with what, and what is wrong with the others.
struct Findings {
  std::size_t as_listed = 0, as_recorded = 0, without_hash = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> problems;

  void check(const Session& session, const std::filesystem::path& place,
             const RecordedFile& recorded);
  std::string text() const;
};

void Findings::check(const Session& session, const std::filesystem::path& place,
                     const RecordedFile& recorded) {
  const net::RepoFile& file = recorded.file;
  const std::string name = base::escape_controls(file.path);
  const auto status = io::file_status(place);
  if (!status || !status->is_regular) {
    problems.push_back(name + " is missing");
    return;
  }
  const bool listed = !file.etag().empty();
  if (!net::content_is_right(place, file, session.keep_going)) {
    problems.push_back(name + (listed ? " does not have the content that the Hub lists"
                                      : " does not have the size that the Hub lists"));
    return;
  }
  const bool known = !listed && !recorded.sha256.empty();
  if (known && net::sha256_of(place, session.keep_going) != recorded.sha256) {
    problems.push_back(name + " does not have the content that came");
    return;
  }
  ++(listed ? as_listed : known ? as_recorded : without_hash);
  bytes += file.size;
}

std::string Findings::text() const {
  const std::size_t files = as_listed + as_recorded + without_hash;
  const std::string all = fmt::format("{} files, {}", files, base::format_bytes(bytes));
  if (as_listed == files) return all + ", all as the Hub lists them";
  std::vector<std::string> parts;
  if (as_listed > 0) parts.push_back(fmt::format("{} as the Hub lists them", as_listed));
  if (as_recorded > 0) parts.push_back(fmt::format("{} as they came", as_recorded));
  if (without_hash > 0) parts.push_back(fmt::format("{} files have no known hash", without_hash));
  return fmt::format("{}: {}", all, fmt::join(parts, ", "));
}

}  // namespace

cli::ToolResult verify(const Session& session) {
  const auto hub = session.connect();
  const std::string commit = resolve_commit(session, hub.get());
  const auto destination = session.destination(commit);
  const auto files = files_to_check(session, *destination, commit, hub.get());
  Findings findings;
  for (const RecordedFile& recorded : files) {
    findings.check(session, destination->directory() / recorded.file.path, recorded);
  }
  std::vector<std::string>& problems = findings.problems;
  if (!problems.empty()) {
    const std::size_t n = problems.size();
    problems.resize(std::min(n, kShownProblems));
    const std::string more =
        n > kShownProblems ? fmt::format("; and {} more", n - kShownProblems) : "";
    const std::string into =
        session.output.empty() ? "" : " -o " + io::shell_quoted(session.output);
    throw base::ValidationError(
        fmt::format("{} is not what {} has", base::shown(destination->directory()),
                    session.shown_repo()),
        fmt::format("{}{}", fmt::join(problems, "; "), more),
        fmt::format("fetch what is wrong again: lq-fetch {}{} --force", session.shown_repo(),
                    into));
  }
  session.observer->message(findings.text());
  cli::ToolResult result;
  result.lines = {destination->directory().string()};
  result.lines_are_paths = true;
  result.json = {{"path", destination->directory().string()},
                 {"manifest", destination->manifest().string()},
                 {"commit", commit},
                 {"files", files.size()},
                 {"bytes", findings.bytes},
                 {"without_hash", findings.without_hash}};
  return result;
}

}  // namespace lq::fetch
