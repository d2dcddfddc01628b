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

namespace lq::inspect {
namespace {

namespace fs = std::filesystem;

// Nearly all headers are shorter; the rest takes a second request.
constexpr std::uint64_t kFirstRead = std::uint64_t{32} << 10;
constexpr std::uint64_t kLongestHeader = 100'000'000;
// Vocabularies of several megabytes are not worth the wait for a look.
constexpr std::uint64_t kLongestText = std::uint64_t{256} << 10;

fs::path make_scratch() {
  std::string name = fs::temp_directory_path() / "lq-inspect-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw io::output_error("cannot make a directory in " + base::shown(fs::temp_directory_path()),
                           errno, fs::temp_directory_path());
  }
  return name;
}

/// One look at one commit.
class Look {
 public:
  Look(const net::HubAccess& access, const net::RepoOperand& repo, fs::path directory)
      : client_(access), repo_(repo), directory_(std::move(directory)) {}

  std::vector<std::string> take() {
    commit_ = client_.commit_of(repo_.id, repo_.revision);
    const std::vector<net::RepoFile> files = client_.files(repo_.id, commit_);
    net::require_safe_paths(files, repo_.id);
    std::set<std::string> shards;
    std::string index;
    if (const net::RepoFile* file = net::index_to_read(files, {})) {
      index = client_.text(repo_.id, commit_, *file, kLongestHeader);
      shards = net::shards_of_index(index, "");
    }
    for (const net::RepoFile& file : net::choose_files(files, {}, shards, repo_.id)) {
      if (file.path == net::kIndexName) {
        write(file, index);
      } else if (file.path.ends_with(".safetensors")) {
        write(file, header_of(file));
        fs::resize_file(directory_ / file.path, file.size);
      } else if (file.path == "config.json" || is_of_tokenizer(file.path)) {
        take_text(file);
      }
    }
    return notes_;
  }

 private:
  static bool is_of_tokenizer(const std::string& path) {
    return path.find("token") != std::string::npos || path.ends_with(".model");
  }

  void take_text(const net::RepoFile& file) {
    if (file.size > kLongestText && file.path != "config.json") {
      notes_.push_back(fmt::format("{} ({}) was not read", base::escape_controls(file.path),
                                   base::format_bytes(file.size)));
      return;
    }
    write(file, client_.text(repo_.id, commit_, file, kLongestHeader));
  }

  /// The 8 bytes of its length and the header; shorter where the file is, which its reader finds.
  std::string header_of(const net::RepoFile& file) {
    if (file.size == 0) return "";
    const std::uint64_t first = std::min(kFirstRead, file.size);
    std::string bytes = client_.part(repo_.id, commit_, file, {0, first - 1});
    std::uint64_t length = 0;
    if (bytes.size() < sizeof length) return bytes;
    std::memcpy(&length, bytes.data(), sizeof length);
    if (length > kLongestHeader) return bytes;
    const std::uint64_t end = std::min(length + sizeof length, file.size);
    if (end > first) bytes += client_.part(repo_.id, commit_, file, {first, end - 1});
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
  const fs::path directory_;
  std::string commit_;
  std::vector<std::string> notes_;
};

[[noreturn]] void throw_offline(const std::string& operand) {
  throw base::ModelNotFoundError(
      "cannot inspect " + base::escape_controls(operand),
      "there is no file or directory of that name here, and HF_HUB_OFFLINE forbids to ask the Hub",
      fmt::format("unset HF_HUB_OFFLINE, or write a path as ./{}", base::escape_controls(operand)));
}

}  // namespace

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

RemoteModel::RemoteModel(const std::string& operand) {
  const auto environment = base::Environment::of_process();
  const net::HubSettings settings = net::hub_settings(environment);
  const net::RepoOperand repo = net::parse_repo_operand(operand, settings.endpoint);
  if (settings.offline) throw_offline(operand);
  const net::HubAccess access =
      net::hub_access(settings, net::find_token({}, settings, environment, net::unix_now()),
                      environment, fmt::format("lq-inspect/{}", cli::version()));
  directory_ = make_scratch();
  try {
    notes_ = Look(access, repo, directory_).take();
  } catch (const base::ModelNotFoundError& error) {
    fs::remove_all(directory_);
    throw base::ModelNotFoundError(
        "cannot inspect " + base::escape_controls(operand),
        fmt::format("there is no file or directory of that name here, and {}", error.why()),
        fmt::format("check the path; of a repository, {}", error.fix()));
  } catch (...) {
    fs::remove_all(directory_);
    throw;
  }
}

RemoteModel::~RemoteModel() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

}  // namespace lq::inspect
