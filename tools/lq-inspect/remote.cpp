#include "tools/lq-inspect/remote.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <set>

#include "common/base/environment.h"
#include "common/base/errors.h"
#include "common/base/text.h"
#include "common/cli/version.h"
#include "common/io/below.h"
#include "common/io/output_error.h"
#include "common/net/file_choice.h"
#include "common/net/hub_client.h"
#include "common/net/repo_operand.h"
#include "common/safetensors/header.h"
#include "common/stage/stop.h"

namespace lq::inspect {
namespace {

namespace fs = std::filesystem;

// Nearly all headers are shorter; the rest takes a second request.
constexpr std::uint64_t kFirstRead = std::uint64_t{32} << 10;
// Vocabularies of several megabytes are not worth the wait for a look; their size is told.
constexpr std::uint64_t kLongestText = std::uint64_t{256} << 10;

/// One look at one commit.
class Look {
 public:
  Look(const net::HubAccess& access, const net::RepoOperand& repo, const fs::path& directory)
      : client_(access), repo_(repo), directory_(directory) {}

  std::vector<std::string> take() {
    commit_ = client_.commit_of(repo_.id, repo_.revision);
    const std::vector<net::RepoFile> files = client_.files(repo_.id, commit_);
    net::require_safe_paths(files, repo_.id);
    std::set<std::string> shards;
    std::string index;
    if (const net::RepoFile* file = net::index_to_read(files, {})) {
      index = client_.text(repo_.id, commit_, *file, safetensors::kMaxHeaderBytes);
      shards = net::shards_of_index(index, "");
    }
    for (const net::RepoFile& file : chosen(files, shards)) {
      if (file.path == net::kIndexName) {
        write(file, index);
      } else if (file.path.ends_with(".safetensors")) {
        write(file, header_of(file));
        fs::resize_file(directory_ / file.path, file.size);
      } else if (is_described(file.path)) {
        take_text(file);
      }
    }
    return notes_;
  }

 private:
  std::vector<net::RepoFile> chosen(const std::vector<net::RepoFile>& files,
                                    const std::set<std::string>& shards) const {
    try {
      return net::choose_files(files, {}, shards, repo_.id);
    } catch (const base::ModelNotFoundError& error) {  // whose advice is for one who fetches
      throw base::ModelNotFoundError(
          error.what(), error.why(),
          fmt::format("lq-fetch {} --list shows what is there", repo_.id));
    }
  }

  /// Not so papers and licences.
  static bool is_described(const std::string& path) {
    return path.ends_with(".json") || path.ends_with(".model") || path.ends_with(".jinja");
  }

  void take_text(const net::RepoFile& file) {
    if (file.size > kLongestText && file.path != "config.json") {
      notes_.push_back(fmt::format("{} ({}) was not read", base::escape_controls(file.path),
                                   base::format_bytes(file.size)));
      return;
    }
    write(file, client_.text(repo_.id, commit_, file, safetensors::kMaxHeaderBytes));
  }

  /// The 8 bytes of its length and the header; shorter where the file is, which its reader finds.
  std::string header_of(const net::RepoFile& file) {
    if (file.size == 0) return "";
    const std::uint64_t first = std::min(kFirstRead, file.size);
    std::string bytes = client_.part(repo_.id, commit_, file, {0, first});
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length) return bytes;
    std::memcpy(&length, bytes.data(), sizeof length);
    if (length > safetensors::kMaxHeaderBytes) return bytes;
    const std::uint64_t end = std::min(length + sizeof length, file.size);
    if (end > first) bytes += client_.part(repo_.id, commit_, file, {first, end});
    return bytes.substr(0, end);
  }

  void write(const net::RepoFile& file, const std::string& bytes) const {
    const fs::path path = io::make_parents_below(directory_, file.path);
    std::ofstream out(path, std::ios::binary);
    out << bytes;
    out.close();
    if (!out) throw io::output_error("cannot write " + base::shown(path), errno, path);
  }

  net::HubClient client_;
  const net::RepoOperand& repo_;
  const fs::path& directory_;
  std::string commit_;
  std::vector<std::string> notes_;
};

[[noreturn]] void throw_offline(const std::string& operand) {
  throw base::ModelNotFoundError(
      "cannot inspect " + base::escape_controls(operand),
      "there is no file or directory of that name here, and HF_HUB_OFFLINE forbids to ask the Hub",
      fmt::format("unset HF_HUB_OFFLINE, or write a path as ./{}", base::escape_controls(operand)));
}

net::HubAccess access_for(const net::HubSettings& settings, stage::StageObserver& observer) {
  const auto environment = base::Environment::of_process();
  net::HubAccess access =
      net::hub_access(settings, net::find_token({}, settings, environment, net::unix_now()),
                      environment, fmt::format("lq-inspect/{}", cli::version()));
  net::listen(access, {.message = [&](const std::string& text) { observer.message(text); },
                       .detail = [&](const std::string& text) { observer.detail(text); },
                       .warning = [&](const std::string& what,
                                      const std::string& why) { observer.warning(what, why); },
                       .stop = [] { return stage::stop_requested() != stage::StopReason::kNone; }});
  return access;
}

}  // namespace

ScratchDirectory::ScratchDirectory() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) {
    throw base::OutputError("cannot make a temporary directory",
                            "TMPDIR names no directory: " + error.message(),
                            "set TMPDIR to a directory that can be written, or unset it");
  }
  std::string name = parent / "lq-inspect-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw io::output_error("cannot make a directory in " + base::shown(parent), errno, parent);
  }
  path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

bool RemoteModel::may_be(const std::string& operand) {
  if (operand.starts_with("hf://") || operand.starts_with("https://") ||
      operand.starts_with("http://")) {
    return true;
  }
  if (operand.starts_with('/') || operand.starts_with("./") || operand.starts_with("../")) {
    return false;
  }
  const std::string id = operand.substr(0, operand.find('@'));
  return std::ranges::count(id, '/') == 1 && id.back() != '/';
}

RemoteModel::RemoteModel(const std::string& operand, stage::StageObserver& observer) {
  const net::HubSettings settings = net::hub_settings(base::Environment::of_process());
  const net::RepoOperand repo = net::parse_repo_operand(operand, settings.endpoint);
  if (settings.offline) throw_offline(operand);
  const net::HubAccess access = access_for(settings, observer);
  try {
    notes_ = Look(access, repo, directory()).take();
  } catch (const net::Stopped&) {
    throw stage::Interrupted(stage::stop_requested(), 0, 0);
  } catch (const base::ModelNotFoundError& error) {
    if (operand.find("://") != std::string::npos) throw;
    throw base::ModelNotFoundError(
        "cannot inspect " + base::escape_controls(operand),
        fmt::format("there is no file or directory of that name here, and {}", error.why()),
        fmt::format("check the path; of a repository, {}", error.fix()));
  }
}

}  // namespace lq::inspect
