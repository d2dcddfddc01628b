#pragma once
// The Hub's API: commit of a revision, files of a commit, and the answers that give a file's bytes.

#include <cstddef>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/net/access.h"
#include "common/net/redirect.h"
#include "common/net/refusal.h"
#include "common/net/repo_files.h"
#include "common/net/retry.h"

namespace lq::net {

/// Thread rule: one thread at a time; several clients may share an access.
class HubClient {
 public:
  /// `stop`, where given, takes the place of that of the access.
  explicit HubClient(const HubAccess& access, std::function<bool()> stop = {});

  /// Throws ModelNotFoundError, AuthenticationError, NetworkError, Stopped; the same below.
  /// The commit that a branch, a tag or a commit stands for.
  std::string commit_of(const std::string& id, const std::string& revision);
  /// All pages. Throws ValidationError as files_of_tree_page().
  std::vector<RepoFile> files(const std::string& id, const std::string& commit);
  /// The content of a small file, whose hash has been compared. Throws ValidationError when it is
  /// wrong twice, or longer than `most_bytes`.
  std::string text(const std::string& id, const std::string& commit, const RepoFile& file,
                   std::uint64_t most_bytes);
  /// Some bytes of a file, not compared with its hash.
  std::string part(const std::string& id, const std::string& commit, const RepoFile& file,
                   Extent range);
  /// Asks for one byte of the file: what refuses it refuses the rest as well.
  void check_access(const std::string& id, const std::string& commit, const RepoFile& file);

  /// One attempt at some bytes of a file, for callers that try again themselves. `direct`, where
  /// not empty, is the signed address of an earlier answer, and takes that of this one. Throws
  /// TransportError, Stopped, what the sink throws.
  Answer open(const std::string& id, const std::string& commit, const RepoFile& file,
              std::optional<Extent> range, std::optional<Url>& direct, BodySink& sink);
  /// Nothing for a success; what failed where it may pass. Throws the refusal of the endpoint.
  std::optional<Failure> failure_of(const Answer& answer, const Asked& asked) const;
  /// What messages need to know when a file is asked for: "cannot download x of org/name".
  Asked asked_for_file(const std::string& verb, const std::string& id, const std::string& commit,
                       const RepoFile& file) const;

 private:
  struct ApiAnswer {
    Answer answer;
    nlohmann::json parsed;
  };
  ApiAnswer api(const Url& url, const Asked& asked);
  Url address(const std::string& path) const;
  Answer send(HttpRequest request, RequestPace& pace, BodySink& sink);
  Asked asked_for(const std::string& what, const std::string& id,
                  const std::string& revision) const;
  std::string known_revisions(const std::string& id);

  const HubAccess& access_;
  const Patience patience_;
  HttpConnection connection_;
};

/// Why a head from the endpoint cannot be that of the file; empty when it can: the commit, the hash
/// and the size that the Hub tells beside a file. A redirect's own ETag is not looked at.
std::string mismatch(const HttpHead& head, const std::string& commit, const RepoFile& file);

}  // namespace lq::net
