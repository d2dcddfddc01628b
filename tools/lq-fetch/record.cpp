#include "tools/lq-fetch/record.h"

#include <set>

#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/io/below.h"
#include "common/io/file_status.h"
#include "common/io/safe_path.h"

namespace lq::fetch {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

template <class Number>
Number number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<Number>() : Number{};
}

json entry_of(const RecordedFile& recorded) {
  json entry = {{"path", recorded.file.path},         {"size", recorded.file.size},
                {"mtime_ns", recorded.mtime_ns},      {"inode", recorded.inode},
                {"sha256", recorded.sha256},          {"blob_id", recorded.file.blob_id},
                {"lfs_sha256", recorded.file.sha256}, {"verified", !recorded.file.etag().empty()}};
  return entry;
}

}  // namespace

Record Record::read(const net::Destination& destination, const std::string& commit) {
  Record record = read_any(destination);
  return record.commit_ == commit ? record : Record();
}

Record Record::read_any(const net::Destination& destination) {
  Record record;
  const auto manifest = stage::read_manifest(destination.manifest());
  if (!manifest || text_of(*manifest, "tool") != "lq-fetch") return record;
  const json result = manifest->value("result", json::object());
  if (!result.is_object()) return record;
  const json files = result.value("files", json::array());
  for (const json& entry : files) {
    if (!entry.is_object()) continue;
    const std::string path = text_of(entry, "path");
    if (io::path_problem(path)) continue;
    record.files_.emplace(path,
                          RecordedFile{.file = {.path = path,
                                                .size = number_of<std::uint64_t>(entry, "size"),
                                                .blob_id = text_of(entry, "blob_id"),
                                                .sha256 = text_of(entry, "lfs_sha256"),
                                                .xet_hash = ""},
                                       .mtime_ns = number_of<std::int64_t>(entry, "mtime_ns"),
                                       .inode = number_of<std::uint64_t>(entry, "inode"),
                                       .sha256 = text_of(entry, "sha256")});
  }
  record.commit_ = text_of(result, "commit");
  record.made_at_ = text_of(*manifest, "time");
  record.made_by_ = text_of(*manifest, "version");
  return record;
}

bool Record::holds(const net::Destination& destination, const net::RepoFile& file) const {
  const auto found = files_.find(file.path);
  if (found == files_.end()) return false;
  const RecordedFile& recorded = found->second;
  if (recorded.file.etag() != file.etag()) return false;
  const auto status = io::file_status(destination.directory() / file.path);
  return status && status->is_regular && status->size == file.size &&
         status->mtime_ns == recorded.mtime_ns && status->inode == recorded.inode;
}

void write_record(const Session& session, const net::Destination& destination,
                  const Snapshot& snapshot, const Record& before, const stage::Plan& plan,
                  const stage::RunNumbers& numbers,
                  const std::map<std::string, std::string>& sha256) {
  std::vector<stage::FileRecord> outputs;
  json files = json::array();
  const auto add = [&](const net::RepoFile& file, const std::string& hash) {
    const auto status = io::file_status(destination.directory() / file.path);
    if (!status) {
      throw base::OutputError("cannot record what was fetched",
                              base::shown(destination.directory() / file.path) + " is gone",
                              "run the same command again");
    }
    const auto place = std::filesystem::path(file.path);
    outputs.push_back({place, status->size, status->mtime_ns, hash});
    files.push_back(entry_of({file, status->mtime_ns, status->inode, hash}));
  };
  std::set<std::string> chosen;
  for (const net::RepoFile& file : snapshot.chosen) {
    chosen.insert(file.path);
    const auto hash = sha256.find(file.path);
    add(file, hash == sha256.end() ? file.sha256 : hash->second);
  }
  for (const auto& [path, recorded] : before.files()) {
    if (chosen.contains(path) || !before.holds(destination, recorded.file)) continue;
    add(recorded.file, recorded.sha256);
  }
  json manifest =
      stage::make_manifest(plan, plan.results.front(),
                           {{"commit", snapshot.commit}, {"files", files}}, outputs, numbers);
  manifest["origin"] = {{"repo", session.repo.id},
                        {"revision", session.repo.revision},
                        {"commit", snapshot.commit},
                        {"endpoint", session.access.shown_endpoint()}};
  stage::write_manifest(destination.manifest(), manifest);
}

}  // namespace lq::fetch
