#include "tools/lq-fetch/list.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "tools/lq-fetch/snapshot.h"

namespace lq::fetch {

cli::ToolResult list(const Session& session) {
  const auto hub = session.connect();
  const std::string commit = resolve_commit(session, hub.get());
  const auto destination = session.destination(commit);
  const Snapshot snapshot = choose(session, *destination, commit, hub.get());
  cli::ToolResult result;
  std::size_t width = 0;
  for (const net::RepoFile& file : snapshot.chosen) width = std::max(width, file.path.size());
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const net::RepoFile& file : snapshot.chosen) {
    result.lines.push_back(fmt::format("{:{}}  {:>10}", base::escape_controls(file.path), width,
                                       base::format_bytes(file.size)));
    files.push_back({{"path", file.path}, {"size", file.size}, {"hash", file.etag()}});
  }
  const std::uint64_t total = net::total_size(snapshot.chosen);
  result.lines.push_back(fmt::format("{} files, {} ({} bytes), commit {}", snapshot.chosen.size(),
                                     base::format_bytes(total), total, commit));
  result.json = {{"repo", session.repo.id}, {"commit", commit}, {"files", files}, {"bytes", total}};
  return result;
}

}  // namespace lq::fetch
