#include "tools/lq-fetch/verify.h"

#include <filesystem>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"
#include "tools/lq-fetch/check.h"
#include "tools/lq-fetch/record.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {
namespace {

constexpr std::size_t kShownProblems = 10;

/// The files that an earlier run recorded with the Hub's hashes, else those that the wishes choose.
std::vector<net::RepoFile> files_to_check(const Session& session,
                                          const net::Destination& destination,
                                          const std::string& commit, net::HubClient* client) {
  const Record record = Record::read(destination, commit);
  if (!record.files().empty()) {
    std::vector<net::RepoFile> files;
    for (const RecordedFile& recorded : record.files()) files.push_back(recorded.file);
    return files;
  }
  return choose(session, destination, commit, client).chosen;
}

}  // namespace

cli::ToolResult verify(const Session& session) {
  const auto hub = session.connect();
  const std::string commit = resolve_commit(session, hub.get());
  const auto destination = session.destination(commit);
  std::vector<std::string> problems;
  std::uint64_t bytes = 0;
  const auto files = files_to_check(session, *destination, commit, hub.get());
  for (const net::RepoFile& file : files) {
    const std::filesystem::path place = destination->directory() / file.path;
    const std::string name = base::escape_controls(file.path);
    const auto status = io::file_status(place);
    if (!status || !status->is_regular) {
      problems.push_back(name + " is missing");
    } else if (!content_is_right(place, file, session.stop_reason)) {
      problems.push_back(name + " does not have the content that the Hub lists");
    } else {
      bytes += file.size;
    }
  }
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
        fmt::format("fetch it again: lq-fetch {}{}", session.shown_repo(), into));
  }
  session.observer->message(fmt::format("{} files, {}, all as the Hub lists them", files.size(),
                                        base::format_bytes(bytes)));
  cli::ToolResult result;
  result.lines = {destination->directory().string()};
  result.lines_are_paths = true;
  result.json = {{"path", destination->directory().string()},
                 {"manifest", destination->manifest().string()},
                 {"commit", commit},
                 {"files", files.size()},
                 {"bytes", bytes}};
  return result;
}

}  // namespace lq::fetch
