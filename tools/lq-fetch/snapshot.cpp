#include "tools/lq-fetch/snapshot.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/file_status.h"
#include "common/io/input_file.h"
#include "common/io/json_file.h"
#include "common/io/safe_path.h"
#include "common/net/content_hash.h"
#include "common/net/file_choice.h"
#include "common/net/hub_cache.h"
#include "common/net/plain_directory.h"
#include "common/stage/manifest.h"

namespace lq::fetch {
namespace {

[[noreturn]] void throw_offline(const Session& session, const std::string& why) {
  throw base::ModelNotFoundError(
      fmt::format("cannot find {} offline", session.shown_repo()), why,
      "fetch it once with a network: unset HF_HUB_OFFLINE and run the same command again");
}

[[noreturn]] void throw_nothing(const Session& session, bool online) {
  if (!online) throw_offline(session, "nothing of it is here");
  throw base::ModelNotFoundError(fmt::format("cannot fetch {}", session.shown_repo()),
                                 "the repository has no files at that revision",
                                 "check the name, or choose another revision after an @");
}

/// The commit that a plain directory was fetched from.
std::string recorded_commit(const Session& session) {
  const auto manifest = stage::read_manifest(net::PlainDirectory::manifest_in(session.output));
  if (!manifest || !manifest->contains("origin") || !(*manifest)["origin"].is_object()) return "";
  const nlohmann::json& origin = (*manifest)["origin"];
  if (origin.value("repo", nlohmann::json()) != session.repo.id) return "";
  const nlohmann::json commit = origin.value("commit", nlohmann::json());
  const bool other_revision = session.repo.revision_given &&
                              origin.value("revision", nlohmann::json()) != session.repo.revision;
  return commit.is_string() && !other_revision ? commit.get<std::string>() : "";
}

std::vector<net::RepoFile> cached_list(const net::Destination& destination) {
  if (!io::file_status(destination.tree_record())) return {};
  try {
    return net::files_of_tree_record(io::read_json_file(destination.tree_record()));
  } catch (const base::QuantizationError&) {  // a cached list is only a saving
    return {};
  }
}

/// What lies in the snapshot of the cache, where no client has left a list: whole if all that the
/// index names is there. A link is to a blob, whose name is its hash.
std::vector<net::RepoFile> files_by_sight(const net::Destination& destination) {
  const std::filesystem::path directory = destination.directory();
  std::vector<net::RepoFile> files;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(directory, error), end;
       !error && entry != end; entry.increment(error)) {
    const auto status = io::file_status(entry->path());
    const std::string path = entry->path().lexically_relative(directory).string();
    if (!status || !status->is_regular || io::path_problem(path)) continue;
    net::RepoFile& file = files.emplace_back();
    file.path = path;
    file.size = status->size;
    std::error_code no_link;
    const std::string blob = std::filesystem::read_symlink(entry->path(), no_link).filename();
    if (base::is_lower_hex(blob, 40)) file.blob_id = blob;
    if (base::is_lower_hex(blob, 64)) file.sha256 = blob;
  }
  return files;
}

/// Of a repository that was made from a fetched directory.
void leave_own_manifest_out(const Session& session, std::vector<net::RepoFile>& chosen) {
  const std::string name = net::PlainDirectory::manifest_in(session.output).filename();
  if (std::erase_if(chosen, [&](const net::RepoFile& file) { return file.path == name; }) == 0) {
    return;
  }
  session.observer->warning(fmt::format("{} of the repository is left out", name),
                            "the manifest of this fetch has its place");
}

/// The index of the shards: the one that is there, where it is right, else the Hub's.
std::string index_text(const Session& session, const net::Destination& destination,
                       const std::string& commit, const net::RepoFile& index,
                       net::HubClient* client) {
  for (const std::filesystem::path& place : destination.candidates(index)) {
    const std::string text = io::read_text_file(place);
    net::ContentHash hash(index);
    hash.update(std::as_bytes(std::span(text)));
    if (hash.is_right()) return text;
  }
  if (client == nullptr) throw_offline(session, index.path + " is not here");
  return client->text(session.repo.id, commit, index, net::kLongestIndex);
}

}  // namespace

std::string resolve_commit(const Session& session, net::HubClient* client) {
  if (client != nullptr) return client->commit_of(session.repo.id, session.repo.revision);
  if (net::is_commit(session.repo.revision)) return session.repo.revision;
  const std::string commit =
      session.output.empty() ? net::HubCache::cached_commit(session.settings.cache, session.repo.id,
                                                            session.repo.revision)
                             : recorded_commit(session);
  if (commit.empty()) throw_offline(session, "no earlier run has left it here");
  return commit;
}

Snapshot choose(const Session& session, const net::Destination& destination,
                const std::string& commit, net::HubClient* client) {
  Snapshot snapshot{.commit = commit, .all = cached_list(destination), .chosen = {}, .texts = {}};
  if (snapshot.all.empty()) {
    if (client != nullptr) {
      snapshot.all = client->files(session.repo.id, commit);
    } else if (session.output.empty()) {
      snapshot.all = files_by_sight(destination);
    }
    if (snapshot.all.empty()) throw_nothing(session, client != nullptr);
  }
  net::require_safe_paths(snapshot.all, session.repo.id);
  net::total_size(snapshot.all);  // throws for sums that nothing could hold
  const net::Wishes& wishes = session.options->wishes;
  std::set<std::string> shards;
  if (const net::RepoFile* index = net::index_to_read(snapshot.all, wishes)) {
    const std::string text = index_text(session, destination, commit, *index, client);
    shards = net::shards_of_index(text, wishes.subfolder);
    snapshot.texts[index->path] = text;
  }
  snapshot.chosen = net::choose_files(snapshot.all, wishes, shards, session.repo.id);
  if (!session.output.empty()) leave_own_manifest_out(session, snapshot.chosen);
  if (const auto pair = net::case_collision(snapshot.chosen)) {
    session.observer->warning(
        fmt::format("{} and {} differ in case alone", base::escape_controls(pair->first),
                    base::escape_controls(pair->second)),
        "a file system that ignores case keeps only one of them");
  }
  if (!session.options->require_hash) return snapshot;
  for (const net::RepoFile& file : snapshot.chosen) {
    if (!file.etag().empty()) continue;
    throw base::ValidationError(
        fmt::format("cannot check {} of {}", base::escape_controls(file.path), session.repo.id),
        "the endpoint tells no hash of it", "leave --require-hash out");
  }
  return snapshot;
}

}  // namespace lq::fetch
