#pragma once
// Many files over several connections: ranges written at their place, hashed, and put where they
// belong when they are right.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/net/hub_client.h"
#include "common/net/repo_files.h"

namespace lq::net {

struct DownloadTask {
  RepoFile file;
  std::filesystem::path partial, journal;  // in folders that are there
  /// Called once, when the partial is complete, right and synced. The journal goes after it, so that
  /// a kill in between costs nothing.
  std::function<void()> publish;
};

struct DownloadSettings {
  std::string id, commit;  // of the repository
  int connections = 4;
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;
  bool resume = true;           // take what an earlier run left
  double bytes_per_second = 0;  // over all connections; 0 = as fast as it goes
};

/// What happens, from any thread, one call at a time.
struct DownloadEvents {
  std::function<void(std::uint64_t bytes)> received = {};
  std::function<void(const std::string& what, const std::string& why)> warning = {};
  std::function<void(const RepoFile& file)> file_done = {};
};

/// Files up to this size come in one request, and without a journal.
inline constexpr std::uint64_t kSmallFile = std::uint64_t{8} << 20;

/// Fetches all of them. What was there before is kept; after a failure or a stop everything
/// received is in the partials and their journals. A file whose content is wrong is fetched once
/// more, then ValidationError. Throws NetworkError, AuthenticationError, ModelNotFoundError,
/// OutputError, Stopped; the first failure ends all connections.
void download(const HubAccess& access, const std::vector<DownloadTask>& tasks,
              const DownloadSettings& settings, const DownloadEvents& events);

}  // namespace lq::net
