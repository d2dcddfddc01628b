#include "tools/lq-fetch/preflight.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/cli/version.h"
#include "common/io/file_status.h"
#include "common/io/output_error.h"
#include "common/io/place.h"
#include "tools/lq-fetch/record.h"

namespace lq::fetch {

namespace fs = std::filesystem;

FetchPlan make_plan(const Session& session, const net::Destination& destination,
                    const Snapshot& snapshot) {
  const Options& options = *session.options;
  FetchPlan made;
  stage::Plan& plan = made.plan;
  plan.tool = "lq-fetch";
  plan.version = cli::version();
  plan.commit = cli::commit();
  plan.argv = session.common->argv;
  stage::ResultPlan result;
  result.tool = plan.tool;
  result.kind = stage::ResultKind::kDirectory;
  result.path = destination.directory();
  result.options = {{"repo", session.repo.id},
                    {"commit", snapshot.commit},
                    {"include", options.wishes.include},
                    {"exclude", options.wishes.exclude},
                    {"subfolder", options.wishes.subfolder},
                    {"allow-unsafe", options.wishes.allow_unsafe}};
  for (std::size_t i = 0; i < snapshot.chosen.size(); ++i) {
    const net::RepoFile& file = snapshot.chosen[i];
    result.files.push_back({file.path, file.size});
    if (!destination.candidates(file).empty()) continue;
    made.missing.push_back(file);
    plan.units.push_back({file.path, static_cast<double>(file.size), {{0, i, 0, file.size}}});
    plan.read_bytes += file.size;
  }
  plan.results.push_back(std::move(result));
  return made;
}

void check_writable(const net::Destination& destination) {
  for (const fs::path& path : {destination.manifest(), destination.lock()}) {
    const int problem = io::write_problem(path);
    if (problem == 0) continue;
    throw io::output_error("cannot write into " + base::shown(destination.directory()), problem,
                           io::nearest_existing(path));
  }
}

void check_disk(const Session& session, const net::Destination& destination,
                const std::vector<net::RepoFile>& missing) {
  const auto free = io::free_space(io::nearest_existing(destination.directory()));
  if (!free) return;
  constexpr std::uint64_t kSpare = std::uint64_t{1} << 30;
  const std::uint64_t usable = *free - std::min(*free / 100, kSpare);
  std::uint64_t needed = 0;
  for (const net::RepoFile& file : missing) {
    needed += file.size - std::min(file.size, destination.bytes_on_the_way(file));
  }
  if (needed <= usable) return;
  throw base::OutputError(
      fmt::format("cannot fetch {} into {}", session.repo.id, base::shown(destination.directory())),
      fmt::format("it needs {} more, and {} are free there", base::format_bytes(needed),
                  base::format_bytes(usable)),
      "free space, or fetch to another disk with -o DIR or HF_HUB_CACHE");
}

/// What refuses the smallest file refuses the others as well.
void check_access(const Session& session, const std::string& commit,
                  const std::vector<net::RepoFile>& missing, net::HubClient& hub) {
  const auto smallest = std::ranges::min_element(missing, {}, &net::RepoFile::size);
  if (smallest == missing.end()) return;
  hub.check_access(session.repo.id, commit, *smallest);
}

void require_replaceable(const Session& session, const net::Destination& destination,
                         const std::vector<net::RepoFile>& files) {
  if (session.common->stage.force) return;
  const Record record = Record::read_any(destination);
  for (const net::RepoFile& file : files) {
    const auto recorded = record.files().find(file.path);
    const bool as_it_came =
        recorded != record.files().end() && record.holds(destination, recorded->second.file);
    if (as_it_came || !destination.is_foreign(file, session.keep_going)) continue;
    throw base::OutputError(
        fmt::format("cannot write {}", base::shown(destination.directory() / file.path)),
        "a file is there that these tools did not make, or that was edited since, and its content "
        "is not the Hub's",
        "move it away, choose another directory with -o, or replace it with --force");
  }
}

}  // namespace lq::fetch
